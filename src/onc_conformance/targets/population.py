"""The vocabulary of `[bulk]`: how a population's data are exported, and as which backend service."""

# ruff: noqa: RUF012 - pydantic copies the defaults of its fields

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from onc_conformance.targets.terms import Name, Table, Templated


class BulkTable(Table):
    """Where a group is exported, which group, and how the service that asks for it proves itself."""

    version: Literal["1.0.1", "2.0.0"] = "2.0.0"
    """The version of Bulk Data Access the product follows."""
    base: Name = "fhir"
    """The name of its address among target.base."""
    group: Templated
    """The id of the group that is exported."""
    patients: Templated | None = None
    """The ids of the group's patients, separated by commas; without it the Group is read."""
    other_group: Templated | None = None
    """The id of a group of other patients; without it no second group is tried."""
    client_id: Templated
    """Of the backend service as it is registered."""
    key: Templated
    """The path of a file with its private key as JWK, or of a set of several."""
    alg: list[Literal["RS384", "ES384"]] = []
    """What it signs with; without it every algorithm the file has a key for."""
    token_url: Templated | None = None
    """The token endpoint; without it that of .well-known/smart-configuration below the base."""
    scope: Templated = "system/*.rs"
    narrow_scope: Templated = "system/Patient.rs"
    """A scope for one type of resource alone."""
    beyond_scope: Templated | None = None
    """A scope that the service is not registered for; without it none is asked for."""
    keys_client_id: Templated | None = None
    """A service registered with an address of its keys, at which this program listens."""
    keys_listen: Templated | None = None
    """Host and port on which it listens there, as 127.0.0.1:8765."""
    keys_url: Templated | None = None
    """That address as it is registered; without it http://HOST:PORT/jwks.json."""
    file_hosts: list[Templated] = []
    """Addresses of further servers whose files may be asked for with the token."""
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
