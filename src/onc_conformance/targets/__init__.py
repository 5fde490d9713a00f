"""Targets: descriptions of vendors' APIs, and the client that carries them out. Nothing here knows how to judge."""

from onc_conformance.targets.answers import Answer, Payload
from onc_conformance.targets.catalogue import Row, check, listing, show
from onc_conformance.targets.client import Client
from onc_conformance.targets.loading import bundled, load, load_text
from onc_conformance.targets.models import Misuse
from onc_conformance.targets.session import Session
from onc_conformance.targets.skeletons import QUESTIONS, Choices, asked, new
from onc_conformance.targets.target import Target, texts
from onc_conformance.targets.terms import CCDS

__all__ = [
    "CCDS", "QUESTIONS", "Answer", "Choices", "Client", "Misuse", "Payload", "Row", "Session", "Target", "asked",
    "bundled", "check", "listing", "load", "load_text", "new", "show", "texts",
]  # fmt: skip
