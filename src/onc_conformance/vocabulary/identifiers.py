"""Object identifiers, UUIDs and other forms of an HL7 `root`."""

from __future__ import annotations

import re
from functools import lru_cache

_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))*")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_RUID = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
MAX_OID = 512


@lru_cache(maxsize=16384)
def oid(text: str) -> bool:
    """Whether a text is an object identifier: arcs without leading zeros, the second below 40 under 0 and 1 (X.660)."""
    if len(text) > MAX_OID or not _OID.fullmatch(text):
        return False
    arcs = text.split(".", 2)
    return arcs[0] == "2" or len(arcs) == 1 or (len(arcs[1]) <= 2 and int(arcs[1]) < 40)


@lru_cache(maxsize=16384)
def root(text: str) -> bool:
    """Whether a text can be the root of an instance identifier: an OID, a UUID or an HL7-reserved word."""
    return oid(text) or bool(_UUID.fullmatch(text) or _RUID.fullmatch(text))
