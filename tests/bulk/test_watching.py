"""What is noticed of resources that go by, and how little of it is kept."""

from datetime import UTC, datetime

import pytest

from onc_conformance.bulk.files import File
from onc_conformance.bulk.manifest import Output
from onc_conformance.bulk.watching import ROOM, SAMPLE, Changes, Form, Likeness, People, Support, moment
from onc_conformance.fhir import tables
from onc_conformance.fhirwork.chart import Kept
from onc_conformance.findings import Severity

FILE = File(Output("Patient", "http://127.0.0.1/patients.ndjson", None))


def patient(id_, **more):
    return {"resourceType": "Patient", "id": id_, **more}


def of(id_, patient_, kind="Condition"):
    return {"resourceType": kind, "id": id_, "subject": {"reference": f"http://h/fhir/Patient/{patient_}"}}


@pytest.fixture(scope="module")
def guide():
    return tables.load("6.1.0")


def test_errors_are_told_by_rule_with_the_first_lines(guide):
    form = Form(guide)
    for number in range(1, 1001):
        form(FILE, number, patient(f"p{number}", gender="x"))
    found = list(form.findings())
    errors = [each for each in found if each.severity is Severity.ERROR and "gender" in str(each.path)]
    assert form.resources == 1000
    assert [each.line for each in errors if each.rule == errors[0].rule] == [1, 2, 3][:ROOM]
    assert "and at 997 more places" in str(errors[ROOM - 1])
    assert len(found) < 30


def test_people_are_the_members_and_nobody_else():
    people = People({"a", "b"})
    for number, resource in enumerate([patient("a"), of("c1", "a"), of("c2", "z"), patient("y")], 1):
        people(FILE, number, resource)
    people(FILE, 5, {"resourceType": "Practitioner", "id": "n"})
    assert people.seen == {"a", "y"}
    assert [(line, name, whose) for _, line, name, whose in people.strangers] == [
        (3, "Condition/c2", "z"),
        (4, "Patient/y", "y"),
    ]


def test_likeness_leaves_out_meta_and_text():
    single = {("Patient", "a"): Kept(patient("a", gender="male", meta={"versionId": "1"}), None)}
    alike, unlike = Likeness(single), Likeness(single)
    alike(FILE, 1, patient("a", gender="male", text={"div": "x"}))
    unlike(FILE, 1, patient("a", gender="female"))
    unlike(FILE, 2, patient("b"))
    assert (alike.unseen, alike.unlike) == (set(), [])
    assert [odd for *_, odd in unlike.unlike] == ["gender"]
    assert Likeness(single).unseen == {("Patient", "a")}


def test_changes_are_a_sample_and_those_before_a_moment():
    changes = Changes(by=datetime(2026, 1, 2, tzinfo=UTC))
    for number in range(SAMPLE + 10):
        changes(FILE, number, patient(f"p{number}", meta={"lastUpdated": f"2026-01-0{1 + number % 4}T00:00:00Z"}))
    changes(FILE, 0, patient("none"))
    changes(FILE, 0, patient("odd", meta={"lastUpdated": "yesterday"}))
    assert changes.dated == SAMPLE + 10
    assert len(changes.sample) == SAMPLE
    assert changes.many == (SAMPLE + 10 + 3) // 4 + (SAMPLE + 10 + 2) // 4
    assert len(changes.older) == ROOM


@pytest.mark.parametrize("text", ["2026-01-01", "2026-01-01T00:00:00", "now", None, 5])
def test_a_moment_has_a_time_zone(text):
    assert moment(text) is None


def test_support_grows_until_everything_was_shown(guide):
    support = Support(guide)
    assert {each.id for each in support.without({"Patient"})} == {"us-core-patient"}
    support(FILE, 1, patient("a", name=[{"family": "F", "given": ["G"]}], gender="male"))
    assert support.without({"Patient"}) == []
    gaps = {each.path for each in support.gaps("DAT-PAT-17")}
    assert "Patient.name.family" not in gaps
    assert "Patient.identifier" in gaps
    support(FILE, 2, patient("b", identifier=[{"system": "urn:x", "value": "1"}]))
    assert "Patient.identifier" not in {each.path for each in support.gaps("DAT-PAT-17")}
