"""The sentences of the outcome rules, one test each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from onc_conformance.findings import Finding, Layer, Outcome, Severity
from onc_conformance.gate import Attestation, Excuse, ScenarioResult, settle
from onc_conformance.procedure import Step

TODAY = date(2026, 11, 22)
EDITION = "uscdi-v3"


def step(step_id="G9-IA-TLV-1", coverage="automated", editions=(EDITION,), fixed=None):
    return Step(
        id=step_id,
        criterion=step_id.split("-")[0].lower(),
        paragraph="(g)(9)(i)(A)(1)",
        title="Everything at once",
        role="TLV",
        text="All of it comes back.",
        editions=editions,
        coverage=coverage,
        fixed_edition=fixed,
    )


def scenario(outcome, *, steps=("G9-IA-TLV-1",), target="acme", **facts):
    return ScenarioResult(
        steps=steps,
        target=target,
        criterion="g9",
        feature="All data",
        edition=EDITION,
        outcome=Outcome(outcome),
        **{"name": "All data come back", **facts},
    )


def finding(severity="error", layer="content", message="a stranger's data came back"):
    return Finding(layer=Layer(layer), severity=Severity(severity), rule="G9-IA-TLV-1", message=message)


def attestation(**facts):
    return Attestation(
        **{
            "step": "G9-IA-TLV-1",
            "target": None,
            "who": "R. Proctor",
            "when": date(2026, 11, 1),
            "statement": "Seen to be so.",
            "evidence": "screen.png",
            "sha256": "0" * 64,
            "expires": date(2027, 11, 1),
            **facts,
        }
    )


def excuse(**facts):
    return Excuse(
        **{
            "step": "G9-IA-TLV-1",
            "target": None,
            "reason": "No test data yet",
            "expires": date(2027, 1, 1),
            **facts,
        }
    )


def settled(*results, steps=None, claims=None, **options):
    return settle(
        steps or [step()],
        results,
        edition=EDITION,
        claims=claims or {"acme": {"g9"}},
        criteria=options.pop("criteria", {"g7", "g8", "g9"}),
        today=TODAY,
        **options,
    )


def only(settlement):
    (result,) = settlement.steps
    return result


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["passed", "error", "failed"], "error"),
        (["passed", "failed", "not_tested"], "failed"),
        (["passed", "not_tested", "not_applicable"], "not_tested"),
        (["not_applicable", "passed"], "passed"),
        (["not_applicable"], "not_applicable"),
    ],
)
def test_the_worst_scenario_decides_the_outcome_of_a_step_on_a_target(outcomes, expected):
    assert only(settled(*map(scenario, outcomes))).outcome == expected


def test_the_worst_target_decides_the_outcome_of_a_step():
    result = only(
        settled(
            scenario("passed", target="acme"),
            scenario("failed", target="brand"),
            claims={"acme": {"g9"}, "brand": {"g9"}},
        )
    )
    assert result.outcome is Outcome.FAILED
    assert {each.target: each.outcome.value for each in result.targets} == {"acme": "passed", "brand": "failed"}


def test_an_attested_outcome_is_worse_than_passed_and_better_than_not_tested():
    claims = {"acme": {"g9"}, "brand": set()}
    result = only(settled(steps=[step(coverage="attested")], attestations=[attestation()], claims=claims))
    assert [each.outcome.value for each in result.targets] == ["attested", "not_applicable"]
    assert result.outcome is Outcome.ATTESTED


def test_an_attested_step_without_an_entry_is_not_tested():
    result = only(settled(steps=[step(coverage="attested")]))
    assert (result.outcome.value, result.reason) == ("not_tested", "attestation missing")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"expires": date(2026, 11, 21)}, "attestation missing: expired on 2026-11-21"),
        ({"when": date(2026, 12, 1)}, "attestation missing: dated in the future, 2026-12-01"),
        (
            {"defect": "evidence file screen.png cannot be read"},
            "attestation missing: evidence file screen.png cannot be read",
        ),
        ({"target": "brand"}, "attestation missing"),
        ({"step": "G9-IA-TLV-2"}, "attestation missing"),
    ],
)
def test_an_entry_that_is_not_valid_attests_nothing_and_says_why(facts, reason):
    result = only(settled(steps=[step(coverage="attested")], attestations=[attestation(**facts)]))
    assert (result.outcome.value, result.reason) == ("not_tested", reason)


def test_an_entry_is_valid_on_its_last_day():
    result = only(settled(steps=[step(coverage="attested")], attestations=[attestation(expires=TODAY)]))
    assert result.outcome is Outcome.ATTESTED


def test_an_entry_that_names_the_target_goes_before_one_for_all():
    entries = [attestation(who="Everybody's"), attestation(who="Acme's", target="acme")]
    result = only(settled(steps=[step(coverage="attested")], attestations=entries))
    assert result.targets[0].attestation.who == "Acme's"


def test_an_expired_entry_for_the_target_does_not_hide_a_valid_one_for_all():
    entries = [attestation(target="acme", expires=date(2026, 1, 1)), attestation(who="Everybody's")]
    assert only(settled(steps=[step(coverage="attested")], attestations=entries)).outcome is Outcome.ATTESTED


@pytest.mark.parametrize(
    ("machine", "signed", "expected", "reason"),
    [
        ("failed", True, "failed", None),
        ("failed", False, "failed", None),
        ("passed", True, "passed", None),
        ("passed", False, "not_tested", "attestation missing"),
        ("not_tested", True, "not_tested", "no expected record"),
        ("error", True, "error", "our own fault"),
    ],
)
def test_both_needs_the_machine_and_the_person(machine, signed, expected, reason):
    why = {"not_tested": "no expected record", "error": "our own fault"}.get(machine)
    result = only(
        settled(
            scenario(machine, reason=why),
            steps=[step(coverage="both")],
            attestations=[attestation()] if signed else [],
        )
    )
    assert (result.outcome.value, result.reason) == (expected, reason)


def test_no_signature_outweighs_a_failure_beyond_the_stated_steps():
    result = only(
        settled(
            scenario("failed", beyond=True, findings=(finding(),)),
            steps=[step(coverage="attested")],
            attestations=[attestation()],
        )
    )
    assert result.outcome is Outcome.FAILED


def test_an_automated_step_needs_no_signature_and_shows_none():
    result = only(settled(scenario("passed"), attestations=[attestation()]))
    assert result.outcome is Outcome.PASSED
    assert result.targets[0].attestation is None


def test_a_step_kept_from_running_by_an_earlier_failure_is_not_tested_and_names_it():
    result = only(settled(scenario("not_tested", reason="no token to go on with", blocked_by="G7-I-TLV-1")))
    assert result.outcome is Outcome.NOT_TESTED
    assert result.reason == "no token to go on with (G7-I-TLV-1 failed first)"


def test_a_blocking_step_is_named_even_without_a_reason():
    assert only(settled(scenario("not_tested", blocked_by="G7-I-TLV-1"))).reason == "G7-I-TLV-1 failed first"


def test_a_step_of_a_criterion_the_target_does_not_claim_is_not_applicable():
    result = only(settled(scenario("failed"), claims={"acme": {"g7"}}))
    assert (result.outcome.value, result.reason) == ("not_applicable", "not claimed")


def test_steps_of_criteria_not_selected_are_left_out():
    steps = [step("G7-I-TLV-1"), step("G9-IA-TLV-1")]
    assert [each.step.id for each in settled(steps=steps, criteria={"g9"}).steps] == ["G9-IA-TLV-1"]


def test_steps_not_picked_one_by_one_are_left_out():
    steps = [step("G9-IA-TLV-1"), step("G9-IA-TLV-2")]
    assert [each.step.id for each in settled(steps=steps, only={"G9-IA-TLV-2"}).steps] == ["G9-IA-TLV-2"]


def test_a_step_its_edition_does_not_have_is_not_applicable():
    result = only(settled(steps=[step(editions=("ccds-2015",))]))
    assert (result.outcome.value, result.reason) == ("not_applicable", "not in this edition")


def test_a_step_is_judged_in_the_one_edition_its_criterion_has():
    legacy = step("G8-IA-TLV-1", editions=("ccds-2015",), fixed="ccds-2015")
    result = only(settled(scenario("passed", steps=("G8-IA-TLV-1",)), steps=[legacy], claims={"acme": {"g8"}}))
    assert (result.edition, result.outcome.value) == ("ccds-2015", "passed")


def test_a_claimed_step_without_a_scenario_is_not_tested():
    result = only(settled())
    assert (result.outcome.value, result.reason) == ("not_tested", "no scenario ran")


def test_an_interrupted_run_says_so_where_nothing_ran():
    assert only(settled(interrupted=True)).reason == "the run was interrupted before it"


def test_a_scenario_speaks_for_every_step_it_is_tagged_with():
    steps = [step("G9-IA-TLV-1"), step("G9-IA-TLV-2")]
    result = settled(scenario("passed", steps=("G9-IA-TLV-1", "G9-IA-TLV-2")), steps=steps)
    assert [each.outcome.value for each in result.steps] == ["passed", "passed"]


@pytest.mark.parametrize(
    ("beyond", "expected"),
    [
        (scenario("failed", beyond=True, findings=(finding("error"),)), "failed"),
        (scenario("failed", beyond=True, findings=(finding("warning"),)), "passed"),
        (scenario("failed", beyond=True), "passed"),
        (scenario("not_tested", beyond=True), "passed"),
        (scenario("not_applicable", beyond=True), "passed"),
        (scenario("error", beyond=True), "error"),
    ],
)
def test_a_scenario_beyond_the_steps_fails_its_step_only_with_an_error_finding(beyond, expected):
    assert only(settled(scenario("passed"), beyond)).outcome == expected


@pytest.mark.parametrize("outcome", ["passed", "not_tested", "not_applicable"])
def test_a_scenario_beyond_the_steps_alone_neither_passes_nor_excludes_its_step(outcome):
    result = only(settled(scenario(outcome, beyond=True, reason="beyond")))
    assert (result.outcome.value, result.reason) == ("not_tested", "no scenario ran")


def test_warnings_of_a_scenario_beyond_the_steps_are_counted():
    result = settled(scenario("passed"), scenario("passed", beyond=True, findings=(finding("warning"),)))
    assert result.summary["warnings"] == 1


def test_an_excused_step_stays_not_tested_and_does_not_fail_the_gate():
    result = settled(scenario("not_tested", reason="no data"), excuses=[excuse()])
    (outcome,) = only(result).targets
    assert (outcome.outcome.value, outcome.objectionable) == ("not_tested", False)
    assert result.summary["suppressed"] == 1
    assert [(each.id, found.target, found.excuse.reason) for each, found in result.suppressed] == [
        ("G9-IA-TLV-1", "acme", "No test data yet")
    ]


def test_an_excuse_never_covers_a_failure():
    (outcome,) = only(settled(scenario("failed", findings=(finding(),)), excuses=[excuse()])).targets
    assert (outcome.outcome.value, outcome.objectionable) == ("failed", True)


def test_an_expired_excuse_excuses_nothing_and_is_reported():
    result = settled(scenario("not_tested"), excuses=[excuse(expires=date(2026, 11, 21))])
    assert only(result).targets[0].objectionable
    assert result.warnings == ("excuse for G9-IA-TLV-1 expired on 2026-11-21 and excuses nothing; remove or renew it",)


def test_a_stale_excuse_is_reported():
    result = settled(scenario("passed"), excuses=[excuse(target="acme")])
    assert result.warnings == ("excuse for G9-IA-TLV-1 on acme is stale, the step is passed now; remove it",)


def test_an_excuse_for_one_target_does_not_cover_another():
    claims = {"acme": {"g9"}, "brand": {"g9"}}
    result = only(settled(claims=claims, excuses=[excuse(target="brand")]))
    assert [each.objectionable for each in result.targets] == [True, False]


def test_an_excuse_for_a_target_that_is_not_there_is_reported():
    result = settled(scenario("not_tested"), excuses=[excuse(), excuse(target="acmee")])
    assert result.warnings == (
        "excuse for G9-IA-TLV-1 on acmee excuses nothing, this run has no such target; it has acme",
    )


def test_a_second_excuse_for_the_same_is_reported():
    result = settled(scenario("not_tested"), excuses=[excuse(), excuse(target="acme")])
    assert result.warnings == (
        "excuse for G9-IA-TLV-1 on acme is one too many, another entry excuses the same; remove it",
    )


def test_an_excuse_of_a_step_not_selected_is_left_alone():
    assert settled(criteria={"g7"}, excuses=[excuse()]).warnings == ()


def test_entries_for_steps_nobody_knows_are_reported():
    result = settled(excuses=[excuse(step="G9-XX")], attestations=[attestation(step="G9-YY")])
    assert result.warnings == (
        "attestation for G9-YY: no procedure has this step; correct the id",
        "excuse for G9-XX: no procedure has this step; correct the id",
    )


def test_a_signature_where_the_machine_judges_alone_is_reported():
    assert settled(attestations=[attestation(step="G9-IA-TLV-1")]).warnings == (
        "attestation for G9-IA-TLV-1 counts for nothing: the step is judged by machine alone; remove it",
    )


def test_an_invalid_attestation_is_reported_even_where_another_counts():
    result = settled(steps=[step(coverage="attested")], attestations=[attestation(defect="gone"), attestation()])
    assert only(result).outcome is Outcome.ATTESTED
    assert result.warnings == ("attestation for G9-IA-TLV-1 does not count: gone",)


def test_the_reason_names_the_targets_it_is_true_of():
    result = only(
        settled(
            scenario("not_tested", reason="no expected record", target="acme"),
            scenario("passed", target="brand"),
            claims={"acme": {"g9"}, "brand": {"g9"}},
        )
    )
    assert result.reason == "acme: no expected record"


def test_a_reason_true_of_every_target_is_said_once():
    results = [scenario("not_tested", reason="no expected record", target=name) for name in ("acme", "brand")]
    result = only(settled(*results, claims={"acme": {"g9"}, "brand": {"g9"}}))
    assert result.reason == "no expected record"


def test_findings_set_aside_by_errata_are_counted_as_suppressed():
    told = Finding(
        layer=Layer.TEMPLATE, severity=Severity.INFO, rule="RULE-ERRATUM", message="set aside", found="3"
    )  # fmt: skip
    result = settled(scenario("passed", findings=(told,)))
    assert result.summary["suppressed"] == 3


def test_the_summary_counts_each_finding_once_however_many_steps_cite_it():
    shared = replace(finding("warning"), exchange="0001")
    unjudged = replace(finding("info", "vocabulary", "not judged"), rule="VOC-NOT-JUDGED", found="7")
    both = ("G9-IA-TLV-1", "G9-IA-TLV-2")
    result = settled(
        scenario("passed", steps=both, findings=(shared, unjudged, finding("info"))),
        scenario("failed", steps=both, name="Again", findings=(shared, finding())),
        steps=[step(name) for name in both],
    )
    assert result.summary == {
        "error": 0, "failed": 2, "not_tested": 0, "attested": 0, "passed": 0, "not_applicable": 0,
        "warnings": 1, "codes_not_judged": 7, "suppressed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("machine", "signed", "expected", "unsigned"),
    [
        ("passed", False, "passed", False),
        ("passed", True, "passed", False),
        ("failed", True, "failed", False),
        ("not_tested", False, "not_tested", True),
        ("not_tested", True, "attested", False),
        ("not_applicable", False, "not_applicable", False),
    ],
)
def test_a_person_signs_for_what_the_machine_cannot_tell(machine, signed, expected, unsigned):
    steps, entries = [step(coverage="either")], [attestation()] if signed else []
    done = settled(scenario(machine, reason="the description has no page"), steps=steps, attestations=entries)
    result = only(done)
    assert result.outcome == expected
    assert bool(done.unsigned) is unsigned
    if expected == "not_tested":
        assert result.reason == "attestation missing, and the machine cannot tell: the description has no page"


@pytest.mark.parametrize(
    ("coverage", "signed", "expected"),
    [
        ("automated", False, []),
        ("attested", False, [("G9-IA-TLV-1", "acme")]),
        ("attested", True, []),
        ("both", False, [("G9-IA-TLV-1", "acme")]),
        ("both", True, []),
    ],
)
def test_what_a_person_has_still_to_sign_for_is_listed(coverage, signed, expected):
    entries = [attestation()] if signed else []
    done = settled(scenario("passed"), steps=[step(coverage=coverage)], attestations=entries)
    assert [(each.id, target) for each, target in done.unsigned] == expected
