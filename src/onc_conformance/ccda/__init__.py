"""C-CDA documents read safely into a type, people, sections and facts."""

from onc_conformance.ccda.document import CCD, SUMMARY, Document
from onc_conformance.ccda.facts import Found

__all__ = ["CCD", "SUMMARY", "Document", "Found"]
