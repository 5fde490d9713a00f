"""The vocabulary of `[bulk]`: how a population's data are exported, and as which backend service."""

# ruff: noqa: RUF012 - pydantic copies the defaults of its fields

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from onc_conformance.targets.terms import Table, Templated

BulkVersion = Literal["1.0.1", "2.0.0"]
"""The versions of Bulk Data Access that are known."""


class BulkClient(Table):
    """A backend service as it is registered, and what it asks for."""

    id: Templated
    key: Templated
    """The path of a file with the private key as JWK, or of a set of several."""
    alg: Literal["RS384", "ES384"] | None = None
    """What it signs with; without it, what the file has a key for."""
    token_url: Templated | None = None
    """The token endpoint; without it, that of .well-known/smart-configuration below the base."""
    scope: Templated | None = None
    """What it asks for; without it, everything that may be read, in the form of the edition's version of SMART."""
    narrow_scope: Templated | None = None
    """A scope for one type of resource alone; without it, Patient."""
    beyond_scope: Templated | None = None
    """A scope that the service is not registered for; without it, none is asked for."""


class BulkKeys(Table):
    """A backend service that is registered with the address of its keys."""

    client: Templated
    listen: Templated
    """Host and port at which this program has the keys while it asks, as 127.0.0.1:8765: /jwks.json there."""
    certificate: Templated | None = None
    """The path of a PEM file with the certificate and key to speak TLS with there; without it, plain HTTP."""


class BulkTable(Table):
    """Where a group is exported, which group, and how the service that asks for it proves itself."""

    version: BulkVersion | None = None
    """Of Bulk Data Access; without it, that of the edition."""
    group: Templated
    """The id of the group that is exported."""
    patients: Templated | None = None
    """The ids of its patients, separated by commas; without it, the Group is read."""
    other_group: Templated | None = None
    """The id of a group of other patients, or of some of them; without it, no second group is tried."""
    client: BulkClient
    keys: BulkKeys | None = None
    file_hosts: list[Templated] = []
    """Addresses of further servers that may be shown the token when a file is asked for."""
    deletes: bool = True
    """Whether exports can be deleted."""
    expires: bool = False
    """Whether the product says until when files are there."""
    at_once: Annotated[int, Field(ge=1)] = 3
    """Exports that may be under way at the same time."""
    max_wait_s: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds that an export may take; one that takes longer is given up."""
    max_file_s: Annotated[float, Field(gt=0)] = 3600.0
    """Seconds that a file may take."""
    longest_line_mb: Annotated[float, Field(gt=0)] = 16.0
    """A line of a file that is longer is not read."""
