"""Targets: descriptions of vendors' APIs, and the client that carries them out. Nothing here knows how to judge."""

from onc_conformance.targets.answers import Answer, Payload
from onc_conformance.targets.catalogue import Row, check, listing, new, show
from onc_conformance.targets.client import Client, Session
from onc_conformance.targets.loading import Target, bundled, load
from onc_conformance.targets.models import CCDS, Misuse

__all__ = [
    "CCDS", "Answer", "Client", "Misuse", "Payload", "Row", "Session", "Target", "bundled", "check", "listing", "load",
    "new", "show",
]  # fmt: skip
