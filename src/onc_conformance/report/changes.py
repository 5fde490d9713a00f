"""What changed between two runs: steps and findings that are new, fixed, changed or still there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from onc_conformance.findings import Outcome, Severity

if TYPE_CHECKING:
    from onc_conformance.report.resultsfile import Finding, Results

State = Literal["new", "fixed", "changed", "still", "came", "went"]
STATES: tuple[State, ...] = ("new", "fixed", "changed", "still", "came", "went")
MEANINGS: Mapping[State, str] = {
    "new": "objected to now and not before",
    "fixed": "objected to before and not now",
    "changed": "another outcome or another value, of the same standing",
    "still": "objected to as before",
    "came": "not in the earlier run",
    "went": "in the earlier run alone, or not judged now",
}
_HELD = frozenset({Outcome.PASSED, Outcome.ATTESTED})
_JUDGED = _HELD | {Outcome.FAILED}
_VOLATILE = (
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "#"),
    (re.compile(r"\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{16,}\b"), "#"),
    (re.compile(r"\b[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT\b"), "#"),
    (re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?"), "#"),
    (re.compile(r"(\w+://)[^/\s\"'<>]+"), r"\1#"),
    (re.compile(r"\b((?:127\.0\.0\.1|localhost|\[::1\])):\d+"), r"\1:#"),
    (re.compile(r"\b(exchanges?) (?:\d+-)?\d{4,}\b", re.IGNORECASE), r"\1 #"),
    (re.compile(r"\b(lines?|columns?|bytes?|after|within) \d+(?:\.\d+)?\b", re.IGNORECASE), r"\1 #"),
    (re.compile(r"\b\d+(?:\.\d+)? (s|ms|seconds?|milliseconds?|bytes|kB|MB)\b"), r"# \1"),
    (re.compile(r"\[\d+\]"), "[#]"),
)
"""What differs between two runs that found the same: ids, moments, hosts, places, measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChange:
    """One step on one target, before and now; None where a run has it not."""

    state: State
    step: str
    target: str
    old: str | None
    new: str | None
    reason: str | None
    """Why it came to its outcome: now, or before where it went."""
    fails: bool
    """Whether it fails the gate now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingChange:
    """One finding, before and now, by what stays the same between runs."""

    state: State
    id: str
    """Hex digest of target, rule, layer, message and path without what differs each time."""
    target: str | None
    rule: str
    layer: str
    severity: str
    message: str
    xpath: str | None
    old: tuple[str, ...]
    """Before: each place, as severity, what was expected and what was found."""
    new: tuple[str, ...]
    """Now, likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An earlier run and a later one."""

    old: str
    """Where the earlier one is, or when it started."""
    new: str
    notes: tuple[str, ...]
    """What the two were not judged alike by, in sentences."""
    steps: tuple[StepChange, ...]
    findings: tuple[FindingChange, ...]

    @property
    def regressed(self) -> bool:
        """Whether a step fails the gate now that did not before."""
        return any(each.state == "new" for each in self.steps)

    def counts(self, of: Sequence[StepChange] | Sequence[FindingChange]) -> dict[str, int]:
        """How many are in each state; every state is there."""
        return {state: sum(each.state == state for each in of) for state in STATES}

    def as_json(self) -> dict[str, Any]:
        """All keys, always."""
        return {
            "old": self.old,
            "new": self.new,
            "regressed": self.regressed,
            "summary": {"steps": self.counts(self.steps), "findings": self.counts(self.findings)},
            "notes": list(self.notes),
            "steps": [asdict(each) for each in self.steps],
            "findings": [{**asdict(each), "old": list(each.old), "new": list(each.new)} for each in self.findings],
        }


def compare(old: Results, new: Results) -> Comparison:
    """What `new` came to, measured by `old`."""
    return Comparison(
        old=old.source or old.started,
        new=new.source or new.started,
        notes=tuple(_notes(old, new)),
        steps=tuple(_steps(old, new)),
        findings=tuple(_findings(old, new)),
    )


def stable(text: str) -> str:
    """`text` without what differs between two runs that found the same."""
    for pattern, instead in _VOLATILE:
        text = pattern.sub(instead, text)
    return text


def _notes(old: Results, new: Results) -> Iterator[str]:
    if old.edition != new.edition:
        yield f"judged in {old.edition} before, in {new.edition} now"
    if old.tool.version != new.tool.version:
        yield f"judged by onc-conformance {old.tool.version} before, by {new.tool.version} now"
    rules = {
        name
        for name in old.tool.rules.keys() | new.tool.rules.keys()
        if old.tool.rules.get(name) != new.tool.rules.get(name)
    }
    if rules:
        shown = ", ".join(sorted(rules)[:3])
        yield f"rules differ: {shown}{f' and {len(rules) - 3} more' if len(rules) > 3 else ''}"
    for what, before, now in (
        ("criteria", old.criteria, new.criteria),
        ("targets", old.targets, new.targets),
        ("patients", [each.id for each in old.patients], [each.id for each in new.patients]),
    ):
        if set(before) != set(now):
            yield f"{what} before: {', '.join(before) or 'none'}; now: {', '.join(now) or 'none'}"
    for when, results in (("earlier", old), ("later", new)):
        if results.interrupted:
            yield f"the {when} run was interrupted"


def _outcomes(results: Results) -> dict[tuple[str, str], tuple[Outcome, str | None, bool]]:
    """Outcome, reason, and whether it fails the gate, by step and target."""
    excused = {(each.step, each.target) for each in results.suppressions}
    found = {}
    for step in results.steps:
        for target, outcome in step.by_target.items():
            fails = outcome in (Outcome.FAILED, Outcome.ERROR) or (
                outcome is Outcome.NOT_TESTED and (step.id, target) not in excused
            )
            found[step.id, target] = (outcome, step.reason_by_target.get(target), fails)
    return found


def _steps(old: Results, new: Results) -> Iterator[StepChange]:
    before, now = _outcomes(old), _outcomes(new)
    for key in dict.fromkeys((*now, *before)):
        was, came_to = before.get(key), now.get(key)
        state = _step_state(was, came_to)
        if state:
            yield StepChange(
                state=state,
                step=key[0],
                target=key[1],
                old=was[0].value if was else None,
                new=came_to[0].value if came_to else None,
                reason=(came_to or was or (None, None, False))[1],
                fails=bool(came_to and came_to[2]),
            )


def _step_state(
    was: tuple[Outcome, str | None, bool] | None, now: tuple[Outcome, str | None, bool] | None
) -> State | None:
    """None where there is nothing to tell."""
    if now is None:
        return "went"
    if now[2] and (was is None or not was[2]):
        return "new"
    if was is None:
        return "came"
    if was[2] and now[0] in _HELD:
        return "fixed"
    if was[0] is not now[0]:
        return "changed"
    return "still" if now[2] else None


_Key = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class _Group:
    """One finding wherever a run has it, and the steps it stands under."""

    findings: dict[Finding, None]
    steps: set[str]

    @property
    def objects(self) -> bool:
        """Whether it is more than a note."""
        return any(finding.severity is not Severity.INFO for finding in self.findings)

    @property
    def told(self) -> tuple[str, ...]:
        """Each place in words that stay the same between runs, sorted."""
        return tuple(sorted(_place(finding) for finding in self.findings))


def _grouped(results: Results) -> dict[_Key, _Group]:
    grouped: dict[_Key, _Group] = {}
    for step in results.steps:
        for finding in step.findings:
            message, place = stable(finding.message), stable(finding.xpath or "")
            group = grouped.setdefault(
                (finding.target or "", finding.rule, finding.layer.value, message, place), _Group({}, set())
            )
            group.findings[finding] = None
            group.steps.add(step.id)
    return grouped


def _findings(old: Results, new: Results) -> Iterator[FindingChange]:
    """Those of which one side at least is more than a note."""
    before, now = _grouped(old), _grouped(new)
    judged = {pair for pair, (outcome, _, _) in _outcomes(new).items() if outcome in _JUDGED}
    nowhere = _Group({}, set())
    for key in dict.fromkeys((*now, *before)):
        was, is_now = before.get(key, nowhere), now.get(key, nowhere)
        if not was.objects and not is_now.objects:
            continue
        state: State = "still" if was.told == is_now.told else "changed"
        if not was.objects:
            state = "new"
        elif not is_now.objects:
            asked = any(step in was.steps and key[0] in ("", target) for step, target in judged)
            state = "fixed" if asked else "went"
        example = next(iter(is_now.findings or was.findings))
        yield FindingChange(
            state=state,
            id=hashlib.sha256("\n".join(key).encode()).hexdigest()[:12],
            target=example.target,
            rule=example.rule,
            layer=example.layer.value,
            severity=example.severity.value,
            message=example.message,
            xpath=example.xpath,
            old=was.told,
            new=is_now.told,
        )


def _place(finding: Finding) -> str:
    parts = [finding.severity.value]
    for name, value in (("expected", finding.expected), ("found", finding.found)):
        if value is not None:
            parts.append(f"{name} {stable(value)}")
    return ", ".join(parts)


def lines(comparison: Comparison, *, shown: int | None = None) -> Iterator[str]:
    """The comparison for people, a line each; `shown` limits how many of one state are told one by one."""
    for note in comparison.notes:
        yield f"note: {note}"
    for title, changes in (("steps", comparison.steps), ("findings", comparison.findings)):
        counts = comparison.counts(changes)
        told = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
        yield f"{title}: {told or 'nothing changed'}"
        for state in STATES:
            own = [each for each in changes if each.state == state]
            for each in own[:shown]:
                yield f"  {state}: {_line(each)}"
            if shown is not None and len(own) > shown:
                yield f"  {state}: and {len(own) - shown} more"


def _line(change: StepChange | FindingChange) -> str:
    if isinstance(change, FindingChange):
        where = f" at {change.xpath}" if change.xpath else ""
        text = f"{change.severity} {change.rule} [{change.target or 'any target'}] {change.message}{where}"
        if change.state == "changed":
            text += f" (before: {'; '.join(change.old)}; now: {'; '.join(change.new)})"
    else:
        was, now = (_words(each) for each in (change.old, change.new))
        text = (
            f"{change.step} [{change.target}] {was} -> {now}"
            if was != now
            else f"{change.step} [{change.target}] {now}"
        )
        text += f": {change.reason}" if change.reason else ""
    return " ".join(text.split())


def _words(outcome: str | None) -> str:
    return outcome.replace("_", " ") if outcome else "not in the run"
