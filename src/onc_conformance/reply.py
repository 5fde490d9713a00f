"""A test patient as a target knows them, and what the target answered to one request for them."""

from __future__ import annotations

from dataclasses import dataclass

from onc_conformance import judging
from onc_conformance.ccda.document import Document
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.moments import Days
from onc_conformance.record import Record
from onc_conformance.targets import Answer, Session

REFUSALS = frozenset({"auth", "forbidden", "no_match", "ambiguous", "bad_request", "no_data"})
"""Kinds of answer that turn a bad request away in an orderly manner."""
NO_SUCH_REQUEST = frozenset({"not_supported"})
MEDIA_TYPES = {"json": ("json", "text/plain"), "": ("xml", "text/plain", "application/octet-stream")}
"""What an answer may call itself, by what it is: JSON with a document inside, or the document itself."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A test patient as one target knows them."""

    record: Record
    session: Session

    @property
    def id(self) -> str:
        return self.record.id


@dataclass(frozen=True)
class Reply:
    """What the target answered to one request for one patient, read."""

    subject: Subject
    request: str
    """What was asked, in a tester's words."""
    answer: Answer
    documents: tuple[Document, ...] = ()
    window: Days | None = None
    category: str | None = None
    kinds: frozenset[str] | None = None
    """The fact classes asked for; None is all."""
    whose: Subject | None = None
    """The patient whose id was sent, where it is not the subject's own."""
    carrier: str = ""
    """`json` where the document comes inside JSON."""

    @property
    def ok(self) -> bool:
        """Whether it was answered, whatever the answer is worth."""
        return self.answer.kind == "ok"

    @property
    def processed(self) -> bool:
        """Whether the patient was found, even if no id came back."""
        return self.ok or self.answer.kind == "no_id"

    @property
    def assumption_refused(self) -> bool:
        """Whether what was turned away is a detail of the description that the vendor does not document."""
        return self.answer.assumed and self.window is None and self.answer.kind in REFUSALS | NO_SUCH_REQUEST

    @property
    def readable(self) -> bool:
        """Whether it was answered with documents, all of which can be read."""
        return self.ok and bool(self.documents) and all(document.root is not None for document in self.documents)

    @property
    def exchange(self) -> str | None:
        """The exchange that a finding about the whole answer points to."""
        return self.answer.exchanges[-1] if self.answer.exchanges else None

    @property
    def brought_data(self) -> bool:
        """Whether anything about anybody came back."""
        return self.ok and any(judging.holds_data(document) for document in self.documents)

    def objection(
        self,
        rule: str,
        message: str,
        *,
        severity: Severity = Severity.ERROR,
        layer: Layer = Layer.API,
        expected: str | None = None,
        found: str | None = None,
        hint: str | None = None,
    ) -> Finding:
        """A finding about the answer as a whole."""
        return Finding(
            layer=layer,
            severity=severity,
            rule=rule,
            message=f"{self.request}: {message}",
            expected=expected,
            found=found,
            hint=hint,
            exchange=self.exchange,
        )

    def refused(self, rule: str, severity: Severity = Severity.ERROR) -> Finding:
        """The finding that a request which should have been answered was not."""
        return self.objection(
            rule,
            "was not answered",
            severity=severity,
            expected="an answer with data",
            found=f"{self.answer.kind}: {self.answer.message}" if self.answer.message else self.answer.kind,
        )
