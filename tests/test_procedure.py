"""The procedures as data."""

import pytest

from onc_conformance import procedure
from onc_conformance.findings import UsageError

G10 = (
    "APP-REG-", "SEC-CNN-", "AUT-PAT-", "AUT-SYS-", "PAR-", "TOK-INTRO-", "SH-PAT-", "DAT-PAT-", "API-DOC-",
)  # fmt: skip


def test_every_step_id_belongs_to_its_criterion_and_role():
    for step in procedure.load().steps.values():
        own = G10 if step.criterion == "g10" else (step.criterion.upper() + "-",)
        assert step.id.startswith(own)
        assert step.role in {"SUT", "TLV"}
        assert step.coverage in procedure.COVERAGES
        assert step.paragraph.startswith(f"(g)({step.criterion[1:]})")


def test_every_edition_a_step_names_exists():
    known = set(procedure.editions())
    for step in procedure.load().steps.values():
        assert step.editions
        assert set(step.editions) <= known


def test_the_default_edition_is_the_one_in_force():
    assert procedure.edition(None).id == "uscdi-v3"


def test_category_requests_are_judged_in_the_only_edition_that_had_them():
    step = procedure.load().steps["G8-IA-TLV-1"]
    assert step.edition("uscdi-v3") == "ccds-2015"
    assert step.applies("uscdi-v3")


def test_terms_of_use_left_the_criterion_with_the_2015_edition():
    step = procedure.load().steps["G9-IIA3-TLV-1"]
    assert step.applies("ccds-2015")
    assert not step.applies("uscdi-v3")


@pytest.mark.parametrize("name", ["uscdi-v2", "", "USCDI-V3"])
def test_an_unknown_edition_is_named_with_those_there_are(name):
    with pytest.raises(UsageError, match=r"--edition .*expected one of .*uscdi-v3"):
        procedure.edition(name)


def test_an_unknown_criterion_is_named_with_those_there_are():
    with pytest.raises(UsageError, match=r"g11.*g7,g8,g9"):
        procedure.load().select(["g9", "g11"])


def test_a_selection_of_no_criterion_is_refused():
    with pytest.raises(UsageError, match="--criterion"):
        procedure.load().select([])


def test_an_unconfirmed_edition_carries_a_caution():
    assert procedure.edition("svap-uscdi-v5").caution
    assert procedure.edition("uscdi-v3").caution is None


def test_the_criterion_of_the_standardized_api_has_every_step_of_its_procedure():
    steps = [step for step in procedure.load().steps.values() if step.criterion == "g10"]
    assert len(steps) == 77
    assert len({step.id for step in steps}) == 77


def test_the_versions_of_smart_and_us_core_take_turns_by_edition():
    steps = [step for step in procedure.load().steps.values() if step.criterion == "g10"]
    older = {step.id for step in steps if step.editions == ("uscdi-v1",)}
    newer = {step.id for step in steps if "uscdi-v1" not in step.editions}
    assert {"AUT-PAT-5", "AUT-PAT-19", "DAT-PAT-1", "DAT-PAT-8"} <= older
    assert {"AUT-PAT-24", "AUT-PAT-36", "DAT-PAT-18", "DAT-PAT-17"} <= newer
    assert {procedure.edition(name).smart for name in ("uscdi-v1", "uscdi-v3", "svap-uscdi-v4")} == {
        "1.0.0", "2.0.0", "2.2.0",
    }  # fmt: skip
