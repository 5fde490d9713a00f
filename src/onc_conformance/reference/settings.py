"""What an operator of the reference EHR may set: how its two APIs behave where vendors differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from onc_conformance.reference.jose import Algorithm

UsCore = Literal["3.1.1", "6.1.0", "7.0.0", "8.0.0"]
"""The versions of US Core that the FHIR server can follow, oldest first."""
US_CORE: tuple[UsCore, ...] = get_args(UsCore)
SmartVersion = Literal["1.0.0", "2.0.0", "2.2.0"]
"""The versions of SMART App Launch that the authorization server can follow."""
SMART: tuple[SmartVersion, ...] = get_args(SmartVersion)
BulkVersion = Literal["1.0.1", "2.0.0"]
"""The versions of Bulk Data Access that exports can follow."""
BULK: tuple[BulkVersion, ...] = get_args(BulkVersion)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Defaults are what the vendors' own clients cope with. Lives are in seconds."""

    like: Literal["prefix", "contains", "sql"] = "prefix"
    """What `LIKE_` means in WebChart for a value without wildcards of its own."""
    refusal_status: Literal[200, 401] = 200
    """HTTP status of WebChart's answer to a request without a good session."""
    wrapped: bool = False
    """WebChart answers category requests with a whole document instead of a bare fragment."""
    session_life: float = 1800
    """How long a WebChart session may idle."""
    reference_number_life: float = 300
    """How long EHR Your Way's reference number may wait for its use."""
    token_life: float = 1800
    """How long an EHR Your Way access token is good for."""
    smart_token_life: float = 300
    """How long an access token of the FHIR server is good for."""
    code_life: float = 5
    """How long an authorization code may wait for its use."""
    clock_skew: float = 300
    """How far a signed timestamp may be from true time, either way."""
    accepts_local_timestamps: bool = False
    """Also accept timestamps 19800 s ahead: Indian local time taken for UTC, as in the vendor's sample."""
    failures_are_200: bool = False
    """EHR Your Way answers even signature and token errors with HTTP status 200."""
    docref_algorithm: Algorithm = "RS384"
    """What the client registered at the FHIR server signs its assertions with."""
    docref_by_year: bool = True
    """The FHIR server answers a range with a document for each year in it, a page of one reference each."""
    us_core: UsCore = "6.1.0"
    """The version of US Core that the FHIR server follows."""
    smart: SmartVersion = "2.2.0"
    """The version of SMART App Launch that the authorization server follows."""
    bulk_version: BulkVersion = "2.0.0"
    """The version of Bulk Data Access that exports follow."""
    bulk_seconds: float = 0.2
    """How long an export takes."""
    bulk_lines: int = 50
    """Resources in a file of an export, at the most."""
