"""Scopes in the words of the consent page."""

from __future__ import annotations

import re

from onc_conformance.reference.smart.scopes import parsed

_LAUNCH = {
    "openid": "Know who you are",
    "fhirUser": "Read your own entry in the directory or chart",
    "profile": "Read your own entry in the directory or chart",
    "launch": "Know which chart and visit are open",
    "launch/patient": "Know which patient is chosen",
    "launch/encounter": "Know which visit is chosen",
    "offline_access": "Keep its access when you are not there, until you take it back",
    "online_access": "Keep its access for as long as you are logged in",
}
_OF = {"patient": "of this patient", "user": "that you may see", "system": "of every patient"}
_RIGHTS = {"r": "Read", "s": "Search", "rs": "Read and search"}


def told(text: str) -> str:
    """What a scope allows, as a phrase."""
    scope = parsed(text)
    if scope is None:
        return _LAUNCH.get(text, text)
    what = "everything" if scope.kind == "*" else re.sub(r"(?<=[a-z])(?=[A-Z])", " ", scope.kind)
    limits = " or ".join(one.rpartition("|")[2].replace("-", " ") for one in scope.categories)
    category = f" ({limits})" if limits else ""
    return f"{_RIGHTS.get(scope.rights, 'Use')}: {what}{category}, {_OF[scope.level]}"
