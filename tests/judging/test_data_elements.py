"""What is always demanded, what is silently missing, and which code systems are used."""

from __future__ import annotations

from datetime import date

import pytest

from onc_conformance import judging, record, suite
from onc_conformance.findings import Layer, Severity
from onc_conformance.moments import Days
from onc_conformance.reference import ccd, charts

TINY = suite.schemas() / "patients" / "tiny.toml"
EDITIONS = ("ccds-2015", "uscdi-v1", "uscdi-v3", "svap-uscdi-v4", "svap-uscdi-v5")
ICD9, ICD10 = b"2.16.840.1.113883.6.103", b"2.16.840.1.113883.6.90"
SNOMED = b"2.16.840.1.113883.6.96"


def chart():
    return charts.load([TINY])[0]


def written(edition="uscdi-v3", faults=()):
    of = "uscdi-v1" if edition in {"uscdi-v1", "ccds-2015"} else "uscdi-v3"
    return ccd.document(chart(), document_id="1", edition=of, faults=frozenset(faults))


def found(data, edition="uscdi-v3", severity=Severity.ERROR, **what):
    return [each for each in judging.data_elements(judging.read(data), edition, **what) if each.severity is severity]


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_complete_summary_has_no_error(edition):
    assert found(written(edition), edition) == []


@pytest.mark.parametrize(
    ("fault", "edition", "rule"),
    [
        ("sex-unsaid", "uscdi-v1", "USCDI-BIRTH-SEX"),
        *(("sex-unsaid", edition, "USCDI-SEX") for edition in EDITIONS[2:]),
        *(("author-time-missing", edition, "USCDI-AUTHOR-TIME") for edition in EDITIONS[1:]),
        *(("author-organization-missing", edition, "USCDI-AUTHOR-ORGANIZATION") for edition in EDITIONS[1:]),
    ],
)
def test_what_is_always_demanded_is_an_error_where_it_is_missing(fault, edition, rule):
    [finding] = found(written(edition, [fault]), edition)
    assert (finding.rule, finding.layer) == (rule, "uscdi")
    assert finding.path
    assert finding.line


@pytest.mark.parametrize("fault", ["sex-unsaid", "author-time-missing", "author-organization-missing"])
def test_the_common_clinical_data_set_demands_none_of_it(fault):
    assert found(written("ccds-2015", [fault]), "ccds-2015") == []


def test_a_demand_is_missed_where_it_should_stand():
    [sex] = found(written(faults=["sex-unsaid"]))
    assert sex.path.endswith("/section")
    [organization] = found(written(faults=["author-organization-missing"]))
    assert organization.path == "/ClinicalDocument/author/assignedAuthor"


def test_what_is_demanded_is_missed_once():
    told = judging.data_elements(judging.read(written(faults=["author-time-missing"])), "uscdi-v3", silences=True)
    assert [each.rule for each in told if "AUTHOR" in each.rule or "author" in each.rule] == ["USCDI-AUTHOR-TIME"]


def test_a_stated_reason_answers_a_demand():
    data = written().replace(b'value code="248152002"', b'value nullFlavor="UNK" code="248152002"')
    assert found(data.replace(b'<value code="F"', b'<value nullFlavor="UNK"')) == []


def test_another_type_of_document_owes_no_completeness():
    data = written(faults=["sex-unsaid"]).replace(b"10.20.22.1.2", b"10.20.22.1.14").replace(b"34133-9", b"57133-1")
    assert judging.data_elements(judging.read(data), "uscdi-v3", silences=True) == []


def test_a_fragment_owes_no_completeness():
    data = ccd.fragment(chart(), "problems")
    assert judging.data_elements(judging.read(data), "uscdi-v3", silences=True) == []


def test_the_answer_to_a_window_may_be_silent_and_a_summary_not():
    [person, *_] = record.load(TINY)
    window = Days(date(2018, 4, 10), date(2018, 4, 10))
    silent = [
        each
        for each in judging.judge(written(), "uscdi-v3", person).findings
        if each.severity is Severity.WARNING and each.layer is Layer.USCDI
    ]
    assert silent
    told = judging.judge(written(), "uscdi-v3", person, window).findings
    assert not [each for each in told if each in silent]


def test_silence_is_a_warning_at_the_section_or_the_header():
    warnings = {each.rule: each for each in found(written(), severity=Severity.WARNING, silences=True)}
    suffix = warnings["USCDI-patient_demographics.suffix"]
    assert suffix.path.startswith("/ClinicalDocument/recordTarget/patientRole/patient/name")
    tribe = warnings["USCDI-patient_demographics.tribal_affiliation"]
    assert tribe.path.endswith("/section")
    assert "Social history" in tribe.found
    referral = warnings["USCDI-procedures.reason_for_referral"]
    assert referral.path == "/ClinicalDocument"
    assert referral.found.startswith("no section")
    assert len(warnings) == len(found(written(), severity=Severity.WARNING, silences=True))


def test_elements_of_one_place_are_missed_together():
    data = written().replace(b'root="2.16.840.1.113883.10.20.22.4.2"', b'root="1.2.3"')
    [finding] = [
        each
        for each in found(data, severity=Severity.WARNING, silences=True)
        if "Clinical Test" in each.message and "Result/Report" not in each.message
    ]
    assert finding.rule in {"USCDI-laboratory.tests", "USCDI-clinical_tests.clinical_test"}
    assert "Tests" in finding.message


def test_a_device_outside_a_procedure_is_a_warning():
    rule = "USCDI-unique_device_identifier.unique_device_identifiers-PLACE"
    astray = written().replace(b'root="2.16.840.1.113883.10.20.22.4.14"', b'root="1.2.3"')
    rules = [each.rule for each in found(astray, severity=Severity.WARNING, silences=True)]
    assert astray != written()
    assert rule in rules
    assert rule not in [each.rule for each in found(written(), severity=Severity.WARNING, silences=True)]


def test_what_the_overlay_takes_out_is_only_told():
    told = found(written(), severity=Severity.INFO, silences=True)
    assert {each.rule for each in told} == {
        "USCDI-patient_demographics.sexual_orientation",
        "USCDI-patient_demographics.gender_identity",
    }
    assert found(written(), "svap-uscdi-v4", severity=Severity.INFO, silences=True) == []


def test_a_code_of_another_system_is_an_error_where_the_binding_is_hard():
    [finding] = found(written(faults=["reaction-system-wrong"]))
    assert finding.rule == "USCDI-allergies_and_intolerances.reaction-SYSTEM"
    assert finding.expected == "SNOMED CT"
    assert finding.found.startswith("ICD-10-CM: ")
    assert "value" in finding.path


def test_equal_errors_are_told_once_with_their_number():
    several = written().count(b"10.20.22.4.52")
    [finding] = found(written(faults=["vaccine-system-wrong"]))
    assert several > 1 or " more" not in finding.found
    assert finding.rule == "USCDI-immunizations.immunizations-SYSTEM"


def test_a_translation_of_an_allowed_system_will_do():
    data = written(faults=["reaction-system-wrong"])
    start = data.index(b"<value", data.index(b"10.20.22.4.9"))
    end = data.index(b"/>", start)
    translated = data[:end] + b'><translation code="1" codeSystem="' + SNOMED + b'"/></value>' + data[end + 2 :]
    assert found(translated) == []


def test_a_null_flavor_is_exempt():
    data = written(faults=["reaction-system-wrong"])
    start = data.index(b"<value", data.index(b"10.20.22.4.9"))
    assert found(data[:start] + data[start:].replace(b"<value", b'<value nullFlavor="OTH"', 1)) == []


def test_a_soft_binding_only_warns():
    data = written()
    start = data.index(b"<code", data.index(b"10.20.22.4.49"))
    end = data.index(b">", start)
    other = (
        data[:start]
        + b'<code code="X" codeSystem="1.2.3"'
        + (b"/>" if data[end - 1 : end] == b"/" else b">")
        + data[end + 1 :]
    )
    assert found(other) == []
    [finding] = found(other, severity=Severity.WARNING)
    assert finding.rule == "USCDI-encounter_information.encounter_type-SYSTEM"


def test_a_problem_in_icd_10_is_right_since_version_2():
    data = written()
    start = data.index(b"<value", data.index(b'root="2.16.840.1.113883.10.20.22.4.4"'))
    coded = data[:start] + data[start:].replace(SNOMED, ICD10, 1)
    assert found(coded) == []
    [finding] = found(coded, "uscdi-v1")
    assert finding.rule == "USCDI-problems.problems-SYSTEM"


def test_the_sex_has_two_codes_under_the_overlay():
    [finding, *rest] = found(written(faults=["sex-system-wrong"]))
    assert finding.rule == "USCDI-patient_demographics.sex-CODE"
    assert finding.expected == "248152002 or 248153007 of SNOMED CT"
    assert rest == []
    assert found(written(faults=["sex-system-wrong"]), "svap-uscdi-v4") == []


def test_a_step_may_name_the_rule():
    [finding] = found(written(faults=["author-time-missing"]), rule="G9-IA-TLV-2")
    assert finding.rule == "G9-IA-TLV-2"


def test_what_cannot_be_read_says_so():
    assert [each.rule for each in judging.data_elements(judging.read(b"{}"), "uscdi-v3")] == ["XML-JSON"]
