"""What is done with each document, in whatever process, and what comes back of it: small, and fit to be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from onc_conformance import vocabulary
from onc_conformance.batch.archives import Source
from onc_conformance.batch.expectation import Expectation
from onc_conformance.ccda.standards.errata import suppressed
from onc_conformance.judging import SECONDS, Judgement


class OutOfReach(Exception):  # noqa: N818 - an exit code of its own, no fault
    """Those who should judge do not answer, or there are none; the message is one line."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one document, already in the words of the format asked for."""

    verdict: str
    text: str
    layers_not_run: frozenset[str]
    rules: Mapping[str, str] = field(default_factory=dict)
    """The layer of each rule that was broken, where the format has a table of rules."""
    suppressed: int = 0
    """Findings set aside because the rule is known to be wrong."""
    not_judged: int = 0
    """Codes that could not be judged."""


Form = Callable[[Judgement], tuple[str, Mapping[str, str]]]
"""A judgement in the words of a format, and the layers of the rules its findings name."""


@dataclass(frozen=True, slots=True)
class Work:
    """The same for every document. Sent to other processes, so it and its form can be pickled."""

    against: Expectation
    form: Form

    def __call__(self, source: Source) -> Told:
        return self._told(self.against.judge_safely(source))

    def lost(self, path: str, said: str) -> Told:
        """What is told of a document whose judge came to grief."""
        return self._told(self.against.fault(path, said))

    def _told(self, judgement: Judgement) -> Told:
        text, rules = self.form(judgement)
        return Told(
            judgement.verdict,
            text,
            frozenset(judgement.layers_not_run),
            rules,
            suppressed(judgement.findings),
            vocabulary.not_judged(judgement.findings),
        )


@dataclass(slots=True)
class Tally:
    """What came of all documents; grows with the number of rules, not of documents."""

    verdicts: Counter[str] = field(default_factory=Counter)
    layers_not_run: frozenset[str] = frozenset(SECONDS)
    rules: dict[str, str] = field(default_factory=dict)
    suppressed: int = 0
    not_judged: int = 0
    left_out: str = ""
    interrupted: bool = False

    def count(self, told: Told) -> None:
        self.verdicts[told.verdict] += 1
        self.layers_not_run &= told.layers_not_run
        self.suppressed += told.suppressed
        self.not_judged += told.not_judged
        for rule, layer in told.rules.items():
            self.rules.setdefault(rule, layer)

    @property
    def exit_code(self) -> int:
        """0 all pass, 1 one fails, 4 a fault of ours."""
        return 4 if self.verdicts["error"] else 1 if self.verdicts["fail"] else 0

    def __str__(self) -> str:
        many = self.verdicts.total()
        said = ", ".join(f"{self.verdicts[each]} {each}" for each in ("pass", "fail", "error") if self.verdicts[each])
        missing = ", ".join(each for each in SECONDS if each in self.layers_not_run) or "none"
        parts = [f"{many} document{'' if many == 1 else 's'}: {said or 'none judged'}", f"layers not run: {missing}"]
        parts += [f"{self.suppressed} findings of rules known to be wrong set aside"] if self.suppressed else []
        parts += [f"{self.not_judged} codes not judged"] if self.not_judged else []
        parts += ["interrupted"] if self.interrupted else []
        return "; ".join([*parts, self.left_out] if self.left_out else parts)
