"""References that lead nowhere, to another server, or to another patient's data; searches that want a status."""

import pytest
from tests.fhirwork.charts import Paper
from tests.fhirwork.test_bad_answers import exchange, got

from onc_conformance.fhir.bundle import Bundle
from onc_conformance.fhirwork import contents, recall
from onc_conformance.fhirwork.asking import Found, Got
from onc_conformance.fhirwork.chart import Kept, Reference
from onc_conformance.record import Code, Fact

HELD = Got("GET everything", exchange(b"{}"), {}, None)
VISIT = {"resourceType": "Encounter", "id": "v"}


def reference(told, target=None, path="Observation.encounter"):
    holder = Kept({"resourceType": "Observation", "id": "o"}, HELD)
    return Reference(holder, path, told, None if target is None else Kept(target, HELD))


def objections(*references):
    found = contents.resolved(Paper("p"), references, "DAT-PAT-2")
    return [(each.severity.value, each.layer.value, each.found) for each in found]


def of(patient):
    return VISIT | {"subject": {"reference": f"Patient/{patient}"}}


def test_what_is_the_patients_or_nobodys_may_be_named():
    practitioner = {"resourceType": "Practitioner", "id": "w"}
    assert objections(reference("Encounter/v", of("p")), reference("Practitioner/w", practitioner)) == []
    assert objections(reference("Encounter/v/_history/2", of("p"))) == []
    assert objections(reference("Encounter/v", of("mother"), "Encounter.partOf")) == []
    assert objections(reference("Patient/q", {"resourceType": "Patient", "id": "q"}, "Coverage.subscriber")) == []


def test_another_patients_data_may_not():
    assert objections(reference("Encounter/v", of("q"))) == [("error", "security", "it is of the patient q")]


def test_another_server_is_told_once_and_a_patient_there_is_wrong():
    there = "https://other.example/fhir"
    found = objections(*(reference(f"{there}/Encounter/{number}") for number in range(3)))
    assert found == [("warning", "content", "other.example is another server")]
    subject = reference(f"{there}/Patient/p", path="Observation.subject")
    assert objections(subject) == [("error", "content", "it is a patient of other.example")]
    assert objections(reference("urn:uuid:1")) == [("error", "content", "nobody answers at a urn")]
    assert objections(reference("#inside")) == [("error", "content", "nothing contained has this id")]


class Strict:
    """A server that refuses to search without a status."""

    def __init__(self):
        self.asked = []

    def search(self, _subject, kind, parameters, *, form=False):
        self.asked.append(parameters)
        outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "required"}]}
        bundle = {"resourceType": "Bundle", "type": "searchset"}
        page = got(bundle) if "status" in dict(parameters) and not form else got(outcome, status=400)
        return Found(kind, parameters, (page,), ())


def test_a_server_may_want_a_status():
    server = Strict()
    found = Paper("p", server=server).search("Observation", (("patient", "p"),))
    assert found.ok
    assert len(dict(found.parameters)["status"].split(",")) == 8
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("kind", "asked", "form"),
    [("Condition", (), False), ("Observation", (("status", "final"),), True), ("Observation", (), True)],
)
def test_what_is_refused_all_the_same_stays_refused(kind, asked, form):
    assert not Paper("p", server=Strict()).search(kind, asked, form=form).ok


def fact(kind, **other):
    return Fact(id=kind, kind=kind, **other)


def test_what_a_resource_takes_back_tells_nothing():
    known = fact("vital_signs", codes=(Code("loinc", "1"),))
    sign = {
        "resourceType": "Observation", "id": "o", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "1"}]},
    }  # fmt: skip
    assert recall.carried(Paper("p", sign), known)
    assert not recall.carried(Paper("p", sign | {"status": "entered-in-error"}), known)


def test_a_member_of_a_care_team_may_be_named_in_words():
    known = fact("care_team", attributes={"member": {"family": "Castellane", "given": ["Imogen"]}})

    def team(display):
        return {"resourceType": "CareTeam", "id": "t", "participant": [{"member": {"display": display}}]}

    assert recall.carried(Paper("p", team("Dr. Imogen R. Castellane")), known)
    assert not recall.carried(Paper("p", team("Rufus Castellane")), known)


def test_a_reference_to_a_version_leads_to_the_resource():
    team = {"resourceType": "CareTeam", "id": "t"}
    bundle = Bundle({"resourceType": "Bundle", "entry": [{"resource": team}]})
    assert bundle.resolve({"reference": "CareTeam/t/_history/2"}) is team
    assert bundle.resolve({"reference": "https://h/fhir/CareTeam/t/_history/2"}) is team
