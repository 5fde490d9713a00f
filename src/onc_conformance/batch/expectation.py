"""What documents are held against: an edition, expected records, a window; and one document judged by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onc_conformance import fhir, judging, moments, procedure
from onc_conformance.fhir import reading
from onc_conformance.findings import Finding, Layer, Severity, UsageError
from onc_conformance.judging import Judgement
from onc_conformance.moments import Days

if TYPE_CHECKING:
    from onc_conformance.batch.archives import Source
    from onc_conformance.record import Record


@dataclass(frozen=True, slots=True)
class Expectation:
    """What documents are held against."""

    edition: str
    records: Sequence[Record] = ()
    window: Days | None = None
    rules: str = "builtin"
    """`builtin` or `official`, as a Case has it."""
    us_core: str | None = None
    """The version FHIR is judged by, if not the usual one."""
    profiles: tuple[str, ...] | None = None
    """What FHIR is judged by instead of the profiles it names or fits."""

    def judge(self, source: Source) -> Judgement:
        """Every layer over one document; with several records, against the one whose patient it names."""
        if source.refusal:
            return self.unjudged(source.path, source.refusal, "fail", source.size)
        if source.together:
            from onc_conformance.judging.bundled import judge_lines

            edition = f"{self.edition}, US Core {self.us_core}"
            return judge_lines(source.path, source.together, edition, self.records, self.window)
        if source.line or source.path.lower().endswith(".json") or reading.is_json(source.data):
            from onc_conformance.judging.resources import judge_fhir

            return judge_fhir(
                source.data, self.edition, self.us_core, self.profiles, path=source.path, line=source.line,
                records=self.records, window=self.window,
            )  # fmt: skip
        chosen = self.records[0] if len(self.records) == 1 else self._named(source)
        others = [each for each in self.records if each is not chosen]
        judgement = judging.judge(
            source.data, self.edition, chosen, self.window if chosen else None, others=others, rules=self.rules,
            path=source.path,
        )  # fmt: skip
        if self.records and chosen is None and judgement.document_type != "unreadable":
            known = ", ".join(each.id for each in self.records)
            stranger = Finding(
                layer=Layer.CONTENT, severity=Severity.ERROR, rule="IDENTITY",
                message="the document is of none of the expected patients", expected=known,
            )  # fmt: skip
            return judgement.but([*judgement.findings, stranger], "fail")
        return judgement

    def judge_safely(self, source: Source) -> Judgement:
        """The same, where one document must not take the others with it: a fault of ours is its verdict."""
        try:
            return self.judge(source)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next document is not to blame
            return self.fault(source.path, repr(error))

    def fault(self, path: str, said: str) -> Judgement:
        """The judgement of a document that this tool failed to judge."""
        ours = Finding(
            layer=Layer.XML, severity=Severity.INFO, rule="TOOL-FAULT", message=f"a fault in this tool: {said}",
            hint="Report it, with the document if you may.",
        )  # fmt: skip
        return self.unjudged(path, ours, "error")

    def unjudged(self, path: str, why: Finding, verdict: str, size: int | None = None) -> Judgement:
        """The judgement of a document no layer has seen; it has no sha256, which is the empty string."""
        return Judgement(
            path=path, sha256="", bytes=size or 0, document_type="unreadable", edition=self.edition, verdict=verdict,
            findings=(why,), seconds=dict.fromkeys((*judging.SECONDS, "total")),
        )  # fmt: skip

    def _named(self, source: Source) -> Record | None:
        from onc_conformance.ccda.identity import differences

        doc = judging.read(source.data) if self.records else None
        people = doc.people if doc else ()
        return next((each for each in self.records if people and not differences(people[0], each)), None)


def expectation(
    edition: str,
    expected: str | Path | None = None,
    first: str | None = None,
    last: str | None = None,
    rules: str = "builtin",
    *,
    us_core: str | None = None,
    profiles: Sequence[str] | None = None,
) -> Expectation:
    """What `--edition`, `--expected`, `--from`, `--to`, `--rules`, `--us-core` and `--profile` ask for.

    UsageError where one of them cannot be.
    """
    version = us_core or procedure.edition(edition).us_core
    guide = fhir.load(version) if us_core or profiles else None
    for name in profiles or ():
        if guide and guide.profile(name) is None:
            raise UsageError(f"--profile {name}: US Core {version} has no profile of this URL or id")
    chosen = tuple(profiles) if profiles else None
    if rules == "official":
        from onc_conformance.ccda.standards import official

        official.available()
    window = _window(first, last)
    if not expected:
        if window:
            raise UsageError(
                "--from and --to say which facts of an expected record are due; name it with --expected FILE"
            )
        return Expectation(edition, rules=rules, us_core=version, profiles=chosen)
    from onc_conformance.judging import gold

    return Expectation(edition, tuple(gold.load(Path(expected))), window, rules, version, chosen)


def _window(first: str | None, last: str | None) -> Days | None:
    days: Mapping[str, Days | None] = {
        option: moments.iso(text) if text else None for option, text in (("--from", first), ("--to", last))
    }
    for option, text in (("--from", first), ("--to", last)):
        if text and days[option] is None:
            raise UsageError(f"{option} {text}: is no ISO date; expected one like 2015-06-22")
    begin, end = days["--from"], days["--to"]
    window = Days(begin.first if begin else None, end.last if end else None)
    if window.first and window.last and window.first > window.last:
        raise UsageError(f"--from {first} is after --to {last}; exchange them")
    return window if begin or end else None
