"""A judgement for people: what is wrong by layer and severity, each thing said once with the places it is true of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from onc_conformance.batch.archives import printable
from onc_conformance.findings import Finding, Layer, Severity
from onc_conformance.judging import Judgement

_STYLES = {
    "pass": "bold green",
    "fail": "bold red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.INFO: "cyan",
    "place": "dim",
    "hint": "italic",
}
_ORDER = {layer: number for number, layer in enumerate(Layer)}
_RANK = {severity: number for number, severity in enumerate(Severity)}


def plain(judgement: Judgement) -> tuple[str, Mapping[str, str]]:
    """Text for a pipe or a file."""
    return "".join(f"{text}\n" for _, text in _lines(judgement)), {}


def coloured(judgement: Judgement) -> tuple[str, Mapping[str, str]]:
    """The same for a terminal."""
    return "".join(f"{_style(style, text)}\n" for style, text in _lines(judgement)), {}


def _lines(judgement: Judgement) -> Iterator[tuple[str, str]]:
    counts = [sum(each.severity is severity for each in judgement.findings) for severity in Severity]
    said = ", ".join(_many(many, severity) for many, severity in zip(counts, Severity, strict=True) if many)
    kind = f"{judgement.document_type}, {judgement.edition}"
    head = f"{printable(judgement.path)}: {judgement.verdict} ({kind}){': ' if said else ''}{said}"
    yield judgement.verdict, printable(head)
    groups: dict[tuple[Layer, Severity], list[Finding]] = {}
    for finding in judgement.findings:
        groups.setdefault((finding.layer, finding.severity), []).append(finding)
    for (layer, severity), findings in sorted(groups.items(), key=lambda each: (_ORDER[each[0][0]], _RANK[each[0][1]])):
        yield severity, f"  {layer}: {_many(len(findings), severity)}"
        for same in _alike(findings):
            yield "", f"    {_said(same[0])}"
            for place in filter(None, map(_place, same)):
                yield "place", f"      {place}"
            if same[0].hint:
                yield "hint", f"      hint: {printable(same[0].hint)}"


def _alike(findings: Iterable[Finding]) -> Iterable[list[Finding]]:
    """Findings that differ in nothing but the place."""
    groups: dict[tuple[str | None, ...], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.rule, each.message, each.expected, each.found, each.hint), []).append(each)
    return groups.values()


def _said(finding: Finding) -> str:
    parts = [f"{finding.rule}: {finding.message}"]
    parts += [f"expected {finding.expected}"] if finding.expected is not None else []
    parts += [f"found {finding.found}"] if finding.found is not None else []
    return printable("; ".join(parts))


def _place(finding: Finding) -> str:
    line = f"line {finding.line}" if finding.line else ""
    return printable(" ".join(filter(None, (line, finding.path))))


def _many(many: int, severity: Severity) -> str:
    return f"{many} {severity}{'' if many == 1 or severity is Severity.INFO else 's'}"


@cache
def _rendered(style: str) -> tuple[str, str]:
    from rich.color import ColorSystem
    from rich.style import Style

    before, _, after = Style.parse(style).render("\0", color_system=ColorSystem.STANDARD).partition("\0")
    return before, after


def _style(style: str, text: str) -> str:
    before, after = _rendered(_STYLES[style]) if style in _STYLES else ("", "")
    return f"{before}{text}{after}"
