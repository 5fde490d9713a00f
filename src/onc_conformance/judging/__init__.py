"""The one door to the judges: an answer, an edition, an expected record, a window -> findings of every layer."""

from onc_conformance.ccda import Document
from onc_conformance.judging.agreement import disagreement, dissent
from onc_conformance.judging.content import category, content, isolation
from onc_conformance.judging.coverage import Coverage, Covered, State, coverage
from onc_conformance.judging.dates import dates
from onc_conformance.judging.elements import data_elements
from onc_conformance.judging.judgement import LAYERS, SECONDS, Case, Judgement, LayerOfJudging, judge, of_layers
from onc_conformance.judging.patients import item, whose
from onc_conformance.judging.presence import any_present, foreign, holds_data, learned, narrative, of_classes, present
from onc_conformance.judging.requirements import (
    assessment_plan_sections,
    declarations,
    device_placement,
    document_type,
    goals_section,
    health_concerns_section,
    required_sections,
)


def read(data: bytes, exchange: str | None = None) -> Document:
    """A document from an answer. Never raises: where nothing can be read, `findings` say why and `root` is None."""
    return Document(data, exchange)


__all__ = [
    "LAYERS",
    "SECONDS",
    "Case",
    "Coverage",
    "Covered",
    "Document",
    "Judgement",
    "LayerOfJudging",
    "State",
    "any_present",
    "assessment_plan_sections",
    "category",
    "content",
    "coverage",
    "data_elements",
    "dates",
    "declarations",
    "device_placement",
    "disagreement",
    "dissent",
    "document_type",
    "foreign",
    "goals_section",
    "health_concerns_section",
    "holds_data",
    "isolation",
    "item",
    "judge",
    "learned",
    "narrative",
    "of_classes",
    "of_layers",
    "present",
    "read",
    "required_sections",
    "whose",
]
