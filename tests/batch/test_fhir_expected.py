"""`validate --expected` before FHIR: what is missing, told otherwise, in no record, or another patient's."""

import copy
import io
import json
from functools import cache

import pytest

from onc_conformance import batch, record, suite
from onc_conformance.reference import charts
from onc_conformance.reference.charted import ChartedPerson
from onc_conformance.reference.fhir import records
from onc_conformance.reference.people import People

TINY = suite.schemas() / "patients" / "tiny.toml"
SHARED = ("Practitioner", "PractitionerRole", "Organization", "Location", "Medication")


@cache
def made():
    people = People([ChartedPerson(chart) for chart in charts.load([TINY])])
    found = records.of_people(people, "http://localhost/fhir", "6.1.0")
    return [one for kind in found.kinds() for one in found.of_type(kind)]


def resources(family):
    """Those of the patient of this name."""
    [id_] = [one["id"] for one in made() if one["resourceType"] == "Patient" and one["name"][0]["family"] == family]
    owners = ("subject", "patient", "beneficiary")
    return copy.deepcopy(
        [
            one
            for one in made()
            if one["id"] == id_
            or one["resourceType"] in SHARED
            or any(one.get(name, {}).get("reference") == f"Patient/{id_}" for name in owners)
        ]
    )


def told(tmp_path, found, *, lines=False, **options):
    """The findings about contents: rule, severity and whole finding."""
    if lines:
        path = tmp_path / "a.ndjson"
        path.write_text("\n".join(map(json.dumps, found)))
    else:
        path = tmp_path / "a.json"
        entries = [{"resource": one} for one in found]
        path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    out = io.StringIO()
    options.setdefault("expected", TINY)
    batch.validate([path], edition="uscdi-v3", form="json", out=out, **options)
    judged = [json.loads(line) for line in out.getvalue().splitlines()]
    return [
        each
        for one in judged
        for each in one["findings"]
        if (each["layer"] == "content" and each["rule"] != "CONTENT-EXTRA") or each["severity"] == "error"
    ]


def of(found, kind, code=None):
    return [
        one
        for one in found
        if one["resourceType"] == kind
        and (code is None or code in json.dumps(one.get("code") or one.get("medicationCodeableConcept")))
    ]


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("family", ["Finch", "Haas"])
def test_a_faithful_answer_is_not_objected_to(tmp_path, family, lines):
    families = {each.name.family for each in record.load(TINY)}
    assert told(tmp_path, resources(family if family in families else sorted(families)[1]), lines=lines) == []


def test_what_is_missing_is_named(tmp_path):
    found = resources("Finch")
    [asthma] = of(found, "Condition", "195967001")
    found.remove(asthma)
    [one] = told(tmp_path, found)
    assert (one["rule"], one["severity"]) == ("CONTENT-MISSING", "error")
    assert "195967001" in one["expected"]
    [one] = told(tmp_path, found, lines=True)
    assert one["rule"] == "CONTENT-MISSING"


@pytest.mark.parametrize("lines", [False, True])
def test_what_is_told_otherwise_is_located(tmp_path, lines):
    found = resources("Finch")
    reading = next(one for one in of(found, "Observation") if "valueQuantity" in one)
    reading["valueQuantity"]["value"] = 777
    [one] = told(tmp_path, found, lines=lines)
    assert (one["rule"], one["severity"], one["found"].split()[0]) == ("CONTENT-DIFFERS", "error", "777")
    place = found.index(reading)
    assert one["line"] == (place + 1 if lines else None)
    assert one["xpath"] == ("Observation" if lines else f"Bundle.entry[{place}].resource")


def test_what_is_in_no_record_or_in_anothers_is_told_apart(tmp_path):
    found = resources("Finch")
    strange = copy.deepcopy(of(found, "Condition", "195967001")[0]) | {"id": "strange", "onsetDateTime": "2011-05-05"}
    strange["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "84114007"}], "text": "x"}
    [one] = told(tmp_path, [*found, strange])
    assert (one["rule"], one["xpath"]) == ("CONTENT-EXTRA", f"Bundle.entry[{len(found)}].resource")
    other = next(each for each in record.load(TINY) if each.name.family != "Finch")
    theirs = next(
        one
        for one in of(resources(other.name.family), "Condition")
        if one.get("onsetDateTime") and "problem" in str(one)
    )
    rules = {each["rule"]: each for each in told(tmp_path, [*found, theirs])}
    assert other.id in rules["CONTENT-FOREIGN"]["message"]


def test_of_several_records_the_patients_own_is_meant_and_a_stranger_is_told(tmp_path):
    found = resources("Finch")
    [patient] = of(found, "Patient")
    patient["birthDate"] = "1900-01-01"
    [one] = told(tmp_path, found)
    assert (one["rule"], one["found"]) == ("IDENTITY", "Ida Finch, born 1900-01-01")
    patient["birthDate"] = "1972-01-20"
    patient["gender"] = "male"
    [one] = told(tmp_path, found)
    assert (one["rule"], one["expected"], one["found"]) == ("CONTENT-DIFFERS", "female", "male")
    found.remove(patient)
    assert [each["found"] for each in told(tmp_path, found)] == ["no Patient"]


def test_a_window_says_what_is_due(tmp_path):
    found = resources("Finch")
    found.remove(of(found, "Condition", "195967001")[0])
    assert told(tmp_path, found, first="2018-01-01", last="2018-12-31") == []
    assert [each["rule"] for each in told(tmp_path, found, first="2017-01-01", last="2017-12-31")] == [
        "CONTENT-MISSING"
    ]


def test_one_resource_is_no_answer_about_a_patient(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(of(resources("Finch"), "Patient")[0]))
    out = io.StringIO()
    assert batch.validate([tmp_path], edition="uscdi-v3", form="json", out=out, expected=TINY) == 0
    assert not [each for each in json.loads(out.getvalue())["findings"] if each["layer"] == "content"]
