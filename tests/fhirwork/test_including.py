"""What is asked to come along, and whether it did."""

from types import SimpleNamespace

from tests.fhirwork.charts import Bare, Paper, code, found

from onc_conformance.fhirwork import demands, searches
from onc_conformance.fhirwork.asking import Entry

ASKED = (("patient", "1"), ("intent", "order"), ("_include", "MedicationRequest:medication"))


def prescription(told):
    return {"resourceType": "MedicationRequest", "id": "a", "intent": "order", **told}


def page():
    return SimpleNamespace(objection=lambda rule, message, **more: (rule, message, more["path"]))


def entry(resource, mode="match"):
    return Entry(resource, mode, page(), "Bundle.entry[0].resource")


def objections(*entries, told):
    server = Bare({("MedicationRequest", ASKED): found("MedicationRequest", ASKED, *entries)})
    chart = Paper("1", prescription(told), server=server)
    (search,) = searches.including(chart, "MedicationRequest:medication")
    assert search.asked == ASKED
    return list(searches.included(search, "DAT-PAT-5"))


REFERRED = {"medicationReference": {"reference": "Medication/m"}}


def test_what_is_referred_to_has_to_come_along():
    medication = {"resourceType": "Medication", "id": "m"}
    assert objections(entry(prescription(REFERRED)), entry(medication, "include"), told=REFERRED) == []
    (missing,) = objections(entry(prescription(REFERRED)), told=REFERRED)
    assert missing == (
        "DAT-PAT-5", "Medication/m did not come along", "Bundle.entry[0].resource.medicationReference",
    )  # fmt: skip


def test_nothing_is_asked_for_where_nothing_is_referred_to():
    for told in ({"medicationCodeableConcept": code("s", "1")}, {"medicationReference": {"reference": "#inside"}}):
        assert searches.including(Paper("1", prescription(told)), "MedicationRequest:medication") == []
    assert searches.including(Paper("1", version="3.1.1"), "MedicationDispense:medication") == []


def test_what_is_demanded_depends_on_the_version():
    old, new = Paper("1", version="3.1.1").tables, Paper("1", version="6.1.0").tables
    assert not demands.served(old, "Coverage")
    assert demands.served(new, "Coverage")
    assert demands.provenance(old, "Condition"), "3.1.1 names it without a strength"
    assert demands.provenance(new, "RelatedPerson")
    assert demands.by_patient(new, "Patient")
    assert not demands.by_patient(new, "Practitioner")
    assert ("category", "date", "patient") in demands.combinations(new, "Observation")
