"""Every layer there is over one document: what `validate` runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from onc_conformance.ccda import CCD, Document, coded, schema, templates
from onc_conformance.ccda.standards import official
from onc_conformance.findings import Finding, Severity
from onc_conformance.judging.content import content
from onc_conformance.judging.dates import dates
from onc_conformance.judging.elements import data_elements
from onc_conformance.judging.patients import whose
from onc_conformance.judging.requirements import required_sections

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from onc_conformance.moments import Days
    from onc_conformance.record import Record

SECONDS = ("parse", "schema", "templates", "vocabulary", "uscdi", "content")
"""The layers whose time is told, in the order they run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a document is judged against."""

    edition: str
    record: Record | None = None
    others: Sequence[Record] = ()
    window: Days | None = None
    policy: Mapping[str, str | None] = field(default_factory=dict)
    rules: str = "builtin"
    """`builtin`, or `official`: the template rules of imported standards in place of ours."""


@dataclass(frozen=True, slots=True)
class LayerOfJudging:
    """A judge of readable documents, and when it has something to say."""

    name: str
    """One of SECONDS."""
    judge: Callable[[Document, Case], list[Finding]]
    applies: Callable[[Case], bool] = lambda _: True


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What became of one document."""

    path: str
    sha256: str
    bytes: int
    document_type: str
    edition: str
    verdict: str
    """`pass`, `fail` (an error finding) or `error` (ours)."""
    findings: tuple[Finding, ...]
    seconds: Mapping[str, float | None]
    """By layer, and `total`; None for layers not run."""

    @property
    def layers_not_run(self) -> tuple[str, ...]:
        """Names of layers that did not judge this document."""
        return tuple(name for name in SECONDS if self.seconds.get(name) is None)

    def but(self, findings: Sequence[Finding], verdict: str) -> Judgement:
        """The same with other findings and verdict, where something around the judges has more to say."""
        return replace(self, findings=tuple(findings), verdict=verdict)

    def as_json(self) -> dict[str, Any]:
        """All keys, always."""
        return {
            "path": self.path,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "document_type": self.document_type,
            "edition": self.edition,
            "verdict": self.verdict,
            "findings": [finding.as_json() for finding in self.findings],
            "seconds": dict(self.seconds),
        }


def judge(
    data: bytes,
    edition: str,
    record: Record | None = None,
    window: Days | None = None,
    *,
    others: Sequence[Record] = (),
    policy: Mapping[str, str | None] | None = None,
    rules: str = "builtin",
    path: str = "-",
) -> Judgement:
    """Every layer there is, each always run on what can be read; a document is not required to be a CCD."""
    began = time.perf_counter()
    doc = Document(data)
    seconds: dict[str, float | None] = dict.fromkeys((*SECONDS, "total"))
    seconds["parse"] = time.perf_counter() - began
    findings = list(doc.findings)
    case = Case(edition=edition, record=record, others=others, window=window, policy=policy or {}, rules=rules)
    for layer in LAYERS if doc.root is not None else ():
        if layer.applies(case):
            start = time.perf_counter()
            findings += [each for each in layer.judge(doc, case) if each not in doc.findings]
            seconds[layer.name] = time.perf_counter() - start
    seconds["total"] = time.perf_counter() - began
    return Judgement(
        path=path,
        sha256=doc.sha256,
        bytes=doc.bytes,
        document_type=doc.type,
        edition=edition,
        verdict="fail" if any(each.severity is Severity.ERROR for each in findings) else "pass",
        findings=tuple(dict.fromkeys(findings)),
        seconds={name: None if spent is None else round(spent, 6) for name, spent in seconds.items()},
    )


def of_layers(doc: Document, names: Collection[str], edition: str) -> list[Finding]:
    """What the layers of these names find in a readable document, whoever's it is; nothing of one that is not."""
    case = Case(edition=edition)
    chosen = [each for each in LAYERS if each.name in names and each.applies(case)] if doc.root is not None else []
    return [finding for layer in chosen for finding in layer.judge(doc, case)]


def _declared(doc: Document, case: Case) -> list[Finding]:
    """Of a document that declares the CCD template of R2.1, its sections by their codes.

    A CCD also accounts for the data elements of the edition, unless it is asked for a window, where silence is right.
    """
    findings = data_elements(doc, case.edition, silences=case.window is None)
    declared = any(root == CCD and extension for root, extension in doc.templates)
    return findings + (required_sections(doc) if declared else [])


def _expected(doc: Document, case: Case) -> list[Finding]:
    record = case.record
    if record is None:
        return []
    findings = whose(doc, record, case.others)
    if not record.facts:
        return findings
    if case.window:
        return findings + dates([doc], record, case.window, case.policy)
    return findings + content([doc], record, case.others)


LAYERS: tuple[LayerOfJudging, ...] = (
    LayerOfJudging("schema", lambda doc, _case: schema.check(doc)),
    LayerOfJudging("templates", lambda doc, _: templates.check(doc), lambda case: case.rules == "builtin"),
    LayerOfJudging("templates", lambda doc, _: official.check(doc), lambda case: case.rules == "official"),
    LayerOfJudging("vocabulary", lambda doc, _case: coded.check(doc)),
    LayerOfJudging("uscdi", _declared),
    LayerOfJudging("content", _expected, lambda case: case.record is not None),
)
"""The layers there are, in the order of SECONDS; a further layer is a further entry."""

__all__ = ["LAYERS", "SECONDS", "Case", "Judgement", "LayerOfJudging", "judge", "of_layers"]
