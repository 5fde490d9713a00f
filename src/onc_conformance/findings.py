"""What a judge says: a finding, the outcome of a step, and the exceptions that carry them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How binding the broken rule is: SHALL, SHOULD, or nothing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Layer(StrEnum):
    """Which kind of judge spoke."""

    XML = "xml"
    SCHEMA = "schema"
    TEMPLATE = "template"
    VOCABULARY = "vocabulary"
    USCDI = "uscdi"
    CONTENT = "content"
    DATES = "dates"
    API = "api"
    SECURITY = "security"
    DOCUMENTATION = "documentation"


class Outcome(StrEnum):
    """What became of a scenario or a step. Declared from worst to best."""

    ERROR = "error"
    FAILED = "failed"
    NOT_TESTED = "not_tested"
    ATTESTED = "attested"
    PASSED = "passed"
    NOT_APPLICABLE = "not_applicable"

    @classmethod
    def worst(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """The outcome that stands for all of `outcomes`; of none it is NOT_APPLICABLE."""
        order = list(cls)
        return min(outcomes, key=order.index, default=cls.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a judge objects to, located so that a person can go and look."""

    layer: Layer
    severity: Severity
    rule: str
    """A bare CONF number, a procedure-step id, or a stable id of this project."""
    message: str
    """One line, whatever it quotes."""
    path: str | None = None
    """XPath in a document, FHIRPath in a resource, JSONPath in an answer, or a URL."""
    line: int | None = None
    expected: str | None = None
    found: str | None = None
    hint: str | None = None
    exchange: str | None = None
    """Id of the exchange whose answer is objected to."""
    target: str | None = None

    def __post_init__(self) -> None:
        if "\n" in self.message or "\r" in self.message:
            object.__setattr__(self, "message", " ".join(self.message.split()))

    def at(self, exchange: str | None, target: str | None = None) -> Finding:
        """The same finding tied to the exchange it came from, unless it is tied already."""
        return replace(self, exchange=self.exchange or exchange, target=self.target or target)

    def as_json(self) -> dict[str, Any]:
        """All keys, always, in the words of the results file."""
        record = asdict(self)
        record["xpath"] = record.pop("path")
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in record.items()}

    def __str__(self) -> str:
        where = " ".join(
            filter(
                None,
                (
                    self.path or "",
                    f"line {self.line}" if self.line else "",
                    f"exchange {self.exchange}" if self.exchange else "",
                ),
            )
        )
        parts = [f"{self.severity} {self.rule}: {self.message}"]
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        if self.found is not None:
            parts.append(f"found {self.found}")
        if where:
            parts.append(f"at {where}")
        return "; ".join(parts)


SUPPRESSED = "RULE-ERRATUM"
"""Rule of the finding that says how many findings of a rule known to be wrong were set aside, in `found`."""


def set_aside(rule: str, reason: str, source: str, many: int) -> Finding:
    """What a report says of findings of a rule that is wrong as published."""
    return Finding(
        layer=Layer.TEMPLATE,
        severity=Severity.INFO,
        rule=SUPPRESSED,
        message=f"findings of {rule} are set aside: {reason} ({source})",
        found=str(many),
    )


class Nonconformity(AssertionError):  # noqa: N818 - the field's word
    """The target's fault: at least one finding of severity error. An AssertionError, so that pytest says failed."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(grouped(self.findings))


def grouped(findings: Sequence[Finding]) -> str:
    """Findings as one message: how many of which kind, then by what they are about and the answer they stand in."""
    if len(findings) == 1:
        return str(findings[0])
    counts = Counter(str(each.severity) for each in findings)
    groups: dict[tuple[str, str | None], list[Finding]] = {}
    for each in findings:
        groups.setdefault((each.message.rpartition(": ")[0], each.exchange), []).append(each)
    lines = [", ".join(f"{counts[each]} {each}{'s' if counts[each] > 1 else ''}" for each in Severity if counts[each])]
    for (topic, exchange), members in groups.items():
        where = f" (exchange {exchange})" if exchange else ""
        lines.append(f"{topic or 'in general'}{where}: {len(members)}")
        lines += [f"  - {each}" for each in members]
    return "\n".join(lines)


class NotTested(Exception):  # noqa: N818 - an outcome, not an error
    """The check could not be made; the reason is in the target's terms."""

    def __init__(self, reason: str, step: str | None = None) -> None:
        self.reason = reason
        self.step = step
        super().__init__(reason)


class OutOfTime(NotTested):
    """The run may not last any longer."""

    def __init__(self) -> None:
        super().__init__("the time allowed ran out")


class NotApplicable(Exception):  # noqa: N818 - an outcome, not an error
    """The check has no object on this target; the reason says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class UsageError(Exception):
    """Wrong usage or configuration: exit code 2. The message is one line that says what and what to do."""
