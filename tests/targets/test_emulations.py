"""Surveyed vendors: each description passes on an emulation of its API, and finds the defect planted there."""

import pytest
from tests.targets.emulations.bearers import Aidbox, Canvas, DocRef, Elation, NextGenOffice, Oracle
from tests.targets.emulations.officeemr import OfficeEmr
from tests.targets.emulations.ppoffice import PpOffice
from tests.targets.emulations.rxnt import Rxnt

from onc_conformance import procedure, running, targets
from onc_conformance.gate import Exit

VENDORS = (Rxnt, OfficeEmr, PpOffice, Canvas, Elation, NextGenOffice, Aidbox, Oracle, DocRef)


def outcomes(vendor, tmp_path, monkeypatch, *defects, description=None):
    """Every step with its outcome, but for those of other claims and editions and those that wait."""
    more = {"folder": tmp_path} if issubclass(vendor, Oracle) else {}
    with vendor(*defects, **more) as emulation:
        for name, value in emulation.env().items():
            monkeypatch.setenv(name, value)
        options = running.RunOptions(
            targets=[description or emulation.target],
            patients=[str(emulation.patients_file(tmp_path))],
            reports=None,
        )
        finished = running.run(options)
    return {
        each.step.id: (str(each.outcome), each.reason)
        for each in finished.settlement.steps
        if not _waits(each) and each.outcome != "not_applicable"
    }


def _waits(each):
    """Whether a step waits for a person's word, or for the address of the documentation."""
    reason = each.reason or ""
    waiting = reason == "attestation missing" or " not set" in reason or "has no documentation" in reason
    return str(each.outcome) == "not_tested" and waiting


def red(found):
    return {step for step, (outcome, _) in found.items() if outcome == "failed"}


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.target)
def test_a_description_passes_on_its_vendor(vendor, tmp_path, monkeypatch):
    found = outcomes(vendor, tmp_path, monkeypatch)
    assert {step: said for step, said in found.items() if said[0] != "passed"} == {}
    claimed = targets.loading.unbound(targets.show(vendor.target), "").criteria
    assert {procedure.load().steps[step].criterion for step in found} == set(claimed)


@pytest.mark.parametrize(
    ("vendor", "defect", "steps"),
    [
        (Rxnt, "dates-ignored", {"G8-IB-TLV-1", "G8-IB-TLV-2", "G9-IB-TLV-1", "G9-IB-TLV-2"}),
        (OfficeEmr, "token-not-checked", {"G9-IA-TLV-1"}),
        (PpOffice, "category-always-problems", {"G8-IA-TLV-2", "G9-IA-TLV-2"}),
        (Canvas, "other-patient", {"G7-I-TLV-1", "G9-IA-TLV-1"}),
        (Elation, "problems-missing", {"G9-IA-SUT-2", "G9-IA-TLV-2"}),
        (NextGenOffice, "dates-ignored", {"G9-IB-TLV-1", "G9-IB-TLV-2"}),
        (Aidbox, "first-patient-always", {"G7-I-TLV-1", "G9-IA-TLV-1"}),
        (Oracle, "token-not-checked", {"G7-I-TLV-2", "G9-IA-TLV-1"}),
        (DocRef, "dates-ignored", {"G9-IB-TLV-1", "G9-IB-TLV-2"}),
    ],
    ids=lambda value: getattr(value, "target", value) if not isinstance(value, set) else "",
)
def test_a_defect_planted_in_a_vendor_fails_the_steps_it_breaks(vendor, defect, steps, tmp_path, monkeypatch):
    assert red(outcomes(vendor, tmp_path, monkeypatch, defect)) == steps


def test_a_given_token_that_is_refused_is_a_target_nobody_can_log_in_to(tmp_path, monkeypatch):
    with Canvas() as emulation:
        monkeypatch.setenv("CANVAS_URL", emulation.url)
        monkeypatch.setenv("CANVAS_TOKEN", "one that has run out")
        options = running.RunOptions(targets=["canvas"], patients=[str(emulation.patients)], reports=None)
        finished = running.run(options)
    assert finished.code == Exit.UNREACHABLE
    assert (finished.run.targets[0].unreachable or "").startswith("auth: HTTP 401")
