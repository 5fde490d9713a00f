"""The exit code of a run."""

from __future__ import annotations

from datetime import date

import pytest

from onc_conformance.findings import Outcome
from onc_conformance.gate import Excuse, Exit, ScenarioResult, exit_code, settle
from onc_conformance.procedure import Step

STEP = Step(
    id="G7-I-TLV-1", criterion="g7", paragraph="(g)(7)(i)", title="", role="TLV", text="",
    editions=("uscdi-v3",), coverage="automated", fixed_edition=None,
)  # fmt: skip
EXCUSE = Excuse(step="G7-I-TLV-1", target=None, reason="later", expires=date(2027, 1, 1))


def settlement(outcome=None, *, excuses=(), claims=("g7",)):
    results = [
        ScenarioResult(
            steps=("G7-I-TLV-1",), target="acme", criterion="g7", feature="", name="", edition="uscdi-v3",
            outcome=Outcome(outcome),
        )
    ] if outcome else []  # fmt: skip
    return settle(
        [STEP], results, edition="uscdi-v3", claims={"acme": set(claims)}, criteria={"g7"},
        today=date(2026, 11, 22), excuses=excuses,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "settled", "options", "code"),
    [
        ("nothing to object to is 0", settlement("passed"), {}, 0),
        ("a failed step is 1", settlement("failed"), {}, 1),
        ("a selected step not tested and not excused is 1", settlement("not_tested"), {}, 1),
        ("an excused step is no objection", settlement("not_tested", excuses=[EXCUSE]), {}, 0),
        ("a fault in this tool is 4", settlement("error"), {}, 4),
        ("a fault outside any step is 4", settlement("passed"), {"fault": True}, 4),
        ("no target reached is 3", settlement("not_tested"), {"unreachable": {"acme"}}, 3),
        ("no target reached is 3 even where nothing ran", settlement(), {"unreachable": {"acme"}, "ran": 0}, 3),
        (
            "one of two targets reached is 1",
            settlement("not_tested"),
            {"unreachable": {"b"}, "targets": ["acme", "b"]},
            1,
        ),
        ("a selection that selects nothing is 2", settlement(claims=()), {"ran": 0}, 2),
        ("a run in which nothing ran is never 0", settlement(excuses=[EXCUSE]), {"ran": 0}, 2),
        ("an interrupted run is 130 whatever was found", settlement("failed"), {"interrupted": True}, 130),
        ("an interrupted run is 130 even with a fault", settlement("error"), {"interrupted": True}, 130),
        ("a fault outweighs an unreachable target", settlement("error"), {"unreachable": {"acme"}}, 4),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_the_exit_code(claim, settled, options, code):
    assert exit_code(settled, **{"ran": 1, "targets": ["acme"], **options}) == Exit(code), claim
