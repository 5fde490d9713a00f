"""Searches mean what FHIR and US Core say they mean."""

import pytest
from tests.reference.fhir import FhirClient, outcome

from onc_conformance.reference import ReferenceEHR
from onc_conformance.reference.fhir.catalog import kinds

LOINC = "http://loinc.org"


@pytest.fixture(scope="module")
def ehr():
    with ReferenceEHR() as running:
        yield running


@pytest.fixture(scope="module")
def client(ehr):
    return FhirClient(ehr)


def days(resources):
    return sorted(one["effectiveDateTime"][:10] for one in resources)


@pytest.mark.parametrize("form", ["{id}", "Patient/{id}", "{base}/Patient/{id}"])
def test_a_patient_is_named_by_id_type_or_address(client, form):
    found = client.found("Condition", patient=form.format(id=client.patient, base=client.base))
    assert {one["resourceType"] for one in found} == {"Condition"}
    assert found == client.mine("Condition")
    assert {one["subject"]["reference"] for one in found} == {f"Patient/{client.patient}"}


@pytest.mark.parametrize(
    ("asked", "some", "none"),
    [
        ("4548-4", True, False),
        (f"{LOINC}|4548-4", True, False),
        (f"{LOINC}|", True, False),
        ("|4548-4", False, True),
        ("http://snomed.info/sct|4548-4", False, True),
        ("0000-0", False, True),
    ],
)
def test_tokens_fit_by_system_and_code(client, asked, some, none):
    found = client.mine("Observation", category="laboratory", code=asked)
    assert (bool(found), not found) == (some, none)


def test_the_system_of_a_plain_code_counts(client):
    assert client.mine("Observation", status="http://hl7.org/fhir/observation-status|final")
    assert client.mine("Observation", status="http://hl7.org/fhir/request-status|final") == []


def test_several_values_are_alternatives(client):
    one, other = (client.mine("Observation", code=code) for code in ("8302-2", "29463-7"))
    both = client.mine("Observation", code="8302-2,29463-7")
    assert len(one) and len(other)
    assert {each["id"] for each in both} == {each["id"] for each in one + other}
    statuses = {one["status"] for one in client.mine("MedicationRequest", intent="order", status="active,completed")}
    assert statuses == {"active", "completed"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("2017-05-02", ["2017-05-02"]),
        ("2017", ["2017-05-02"]),
        ("2017-05", ["2017-05-02"]),
        ("eq2006", ["2006-09-18"]),
        ("gt2011-10-05", ["2017-05-02"]),
        ("ge2011-10-05", ["2011-10-05", "2017-05-02"]),
        ("lt2011-10-05", ["2006-09-18"]),
        ("le2011-10-05", ["2006-09-18", "2011-10-05"]),
        ("ne2011", ["2006-09-18", "2017-05-02"]),
        ("sa2006-09-18", ["2011-10-05", "2017-05-02"]),
        ("eb2011-10-05", ["2006-09-18"]),
        ("gt2006,lt2000", ["2011-10-05", "2017-05-02"]),
        ("2016", []),
        ("gt2011-10-04T23:59:59Z", ["2011-10-05", "2017-05-02"]),
    ],
)
def test_dates_are_compared_as_spans(client, asked, found):
    assert days(client.mine("Observation", code="29463-7", date=asked)) == found


def test_two_dates_are_both_ends(client):
    found = client.mine("Observation", code="29463-7", date=["gt2006-09-18", "lt2017-05-02"])
    assert days(found) == ["2011-10-05"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("2015-06-22", 1),
        ("2015-06-23", 0),
        ("gt2015-06-24", 1),
        ("lt2015-06-23", 1),
        ("2015-06", 1),
        ("gt2015-06-25", 0),
    ],
)
def test_periods_are_compared_as_spans(client, asked, found):
    stays = [one for one in client.mine("Encounter", date=asked) if one["class"]["code"] == "IMP"]
    within = {"2015-06-22": 0}  # a stay of four days is in no one day
    assert len(stays) == within.get(asked, found)


def test_times_with_zones_are_compared_as_moments(client):
    code = "8310-5"
    assert client.mine("Observation", code=code, date="2015-06-22T14:30:00Z")
    assert client.mine("Observation", code=code, date="gt2015-06-22T14:29:59Z")
    assert client.mine("Observation", code=code, date="lt2015-06-22T14:30:00Z") == []
    assert client.mine("Observation", code=code, date="2015-06-22")


@pytest.mark.parametrize(
    ("query", "families"),
    [
        ({"family": "newm"}, ["Newman"]),
        ({"name": "marguer"}, ["Newman"]),
        ({"name": "ZIZKA"}, ["Žižka Muñoz"]),
        ({"family:exact": "Newman"}, ["Newman"]),
        ({"family:exact": "newman"}, []),
        ({"family:contains": "wma"}, ["Newman"]),
        ({"family": "wman"}, []),
        ({"name": "Newman", "gender": "female", "birthdate": "1970-03-14"}, ["Newman"]),
        ({"name": "Newman", "gender": "male"}, []),
        ({"family": "Garcia", "birthdate": "gt1980"}, ["Garcia"]),
        ({"birthdate": "1970-03"}, ["Newman"]),
    ],
)
def test_strings_fit_by_their_beginning(client, query, families):
    assert [one["name"][0]["family"] for one in client.found("Patient", **query)] == families


def test_identifiers_fit_with_and_without_system(client):
    identifier = client.get(f"Patient/{client.patient}").json()["identifier"][0]
    for asked in (identifier["value"], f"{identifier['system']}|{identifier['value']}"):
        assert [one["id"] for one in client.found("Patient", identifier=asked)] == [client.patient]
    assert client.found("Patient", identifier=f"urn:other|{identifier['value']}") == []


def test_ids_are_found_in_every_type(client):
    by = {"Practitioner": {}, "Patient": {"name": "Newman"}}
    for kind in ("Encounter", "DocumentReference", "Patient", "ServiceRequest", "Specimen", "Practitioner"):
        issued = client.found(kind, **by.get(kind, {"patient": client.patient}))[0]["id"]
        assert [one["id"] for one in client.found(kind, _id=issued)] == [issued]


def test_a_posted_search_is_the_same(client):
    query = {"patient": client.patient, "category": "laboratory", "date": "gt2012"}
    posted = client.post("Observation", query).json()
    assert posted["total"] == client.bundle("Observation", **query)["total"] > 0
    both = client.http.post(
        f"{client.base}/Observation/_search?patient={client.patient}",
        data={"category": "laboratory"},
        headers=client.headers(),
        timeout=5,
    )
    assert both.json()["total"] == client.bundle("Observation", patient=client.patient, category="laboratory")["total"]
    refused = client.post("Observation", "{}", {"Content-Type": "application/json"})
    assert outcome(refused) == (415, "not-supported")


def test_every_combination_finds_what_its_resources_say(client):
    """Each combination of US Core, asked with the values of a resource, finds that resource."""
    asked = 0
    for kind in kinds().values():
        for combination in kind.combinations:
            names = combination.split("+")
            whose = {"name": "a,e,i,o,u,m,n"} if kind.name == "Patient" else {"patient": client.patient}
            pool = client.found(kind.name, _count=200, **whose)
            for resource in pool[:5]:
                values = {name: first(kind.parameters[name], resource) for name in names if name != "patient"}
                if all(values.values()):
                    query = values | ({"patient": client.patient} if "patient" in names else {})
                    assert resource["id"] in [one["id"] for one in client.found(kind.name, _count=200, **query)], (
                        kind.name,
                        query,
                    )
                    asked += 1
    assert asked > 100


def first(parameter, resource):
    for value in parameter.values(resource):
        if isinstance(value, str):
            return value
        if parameter.kind == "date":
            return f"ge{value['start']}" if "start" in value else None
        if parameter.kind == "reference":
            return value["reference"]
        for coding in value.get("coding", [value]):
            if coding.get("code"):
                return f"{coding['system']}|{coding['code']}"
    return None


def test_provenance_comes_along(client):
    bundle = client.bundle("Condition", patient=client.patient, _revinclude="Provenance:target")
    matches = [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "match"]
    along = [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "include"]
    assert bundle["total"] == len(matches) > 5
    targets = {one["target"][0]["reference"] for one in along}
    assert targets == {f"Condition/{one['id']}" for one in matches}
    assert {one["resourceType"] for one in along} == {"Provenance"}
    assert client.get(f"Provenance/{along[0]['id']}").json() == along[0]


def test_the_medication_comes_along_once(client):
    bundle = client.bundle("MedicationRequest", patient=client.patient, _include="MedicationRequest:medication")
    ways = [
        ("medicationCodeableConcept" in one["resource"], "contained" in one["resource"]) for one in bundle["entry"][:3]
    ]
    assert sorted(ways) == [(False, False), (False, True), (True, False)]
    along = [one["resource"] for one in bundle["entry"] if one["search"]["mode"] == "include"]
    assert [one["resourceType"] for one in along] == ["Medication"]
    assert along[0]["code"]["coding"][0]["system"] == "http://www.nlm.nih.gov/research/umls/rxnorm"


def test_members_come_along_by_type(client):
    all_members = client.mine("CareTeam", mode="include", _include="CareTeam:participant")
    relatives = client.mine("CareTeam", mode="include", _include="CareTeam:participant:RelatedPerson")
    assert {one["resourceType"] for one in all_members} == {"Practitioner", "PractitionerRole", "RelatedPerson"}
    assert {one["resourceType"] for one in relatives} == {"RelatedPerson"}


def test_missing_and_not(client):
    everything = client.mine("Encounter")
    without = client.mine("Encounter", **{"discharge-disposition:missing": "true"})
    with_ = client.mine("Encounter", **{"discharge-disposition:missing": "false"})
    assert len(without) + len(with_) == len(everything)
    assert len(with_) == 1
    assert client.mine("Condition", **{"category:not": "encounter-diagnosis,problem-list-item,health-concern"}) == []


# --- pages


@pytest.mark.parametrize("size", [1, 7, 50, 200])
def test_pages_lead_to_the_end(client, size):
    bundles = client.pages("Observation", patient=client.patient, _count=size)
    ids = [one["resource"]["id"] for bundle in bundles for one in bundle["entry"]]
    assert {bundle["total"] for bundle in bundles} == {len(ids)}
    assert len(set(ids)) == len(ids) > 50
    assert len(bundles) == -(-len(ids) // size)
    assert all(len(bundle["entry"]) == size for bundle in bundles[:-1])


def test_pages_of_a_posted_search_can_be_got(client):
    first_page = client.post("Observation", {"patient": client.patient, "category": "laboratory", "_count": "4"}).json()
    following = next(one["url"] for one in first_page["link"] if one["relation"] == "next")
    again = client.bundle(following)
    assert again["total"] == first_page["total"]
    assert not {one["fullUrl"] for one in again["entry"]} & {one["fullUrl"] for one in first_page["entry"]}
    assert [one["relation"] for one in again["link"]] == ["self", "first", "previous", "next"]


def test_a_page_says_what_was_asked(client):
    link = client.bundle("Observation", patient=client.patient, code="8302-2", colour="blue")["link"]
    assert link == [
        {"relation": "self", "url": f"{client.base}/Observation?patient={client.patient}&code=8302-2"},
    ]


def test_nothing_found_is_an_empty_set(client):
    bundle = client.bundle("Observation", patient=client.patient, code="0-0")
    assert (bundle["type"], bundle["total"]) == ("searchset", 0)
    assert "entry" not in bundle
    counted = client.bundle("Observation", patient=client.patient, _count=0)
    assert counted["total"] > 50
    assert "entry" not in counted


# --- refusals


@pytest.mark.parametrize(
    ("path", "query", "told"),
    [
        ("Observation", {}, (400, "required")),
        ("Observation", {"code": "8302-2"}, (400, "required")),
        ("Patient", {}, (400, "required")),
        ("Observation", {"patient": "P", "date": "2017-02-30"}, (400, "value")),
        ("Observation", {"patient": "P", "date": "yesterday"}, (400, "value")),
        ("Observation", {"patient": "P", "date": "xx2017"}, (400, "value")),
        ("Observation", {"patient": "P", "date": "2017-05-02T"}, (400, "value")),
        ("Observation", {"patient": "P", "code": ","}, (400, "value")),
        ("Observation", {"patient": "P", "_count": "ten"}, (400, "value")),
        ("Observation", {"patient": "P", "_page": "99"}, (400, "value")),
        ("Observation", {"patient": "P", "code:in": "x"}, (400, "not-supported")),
        ("Observation", {"patient": "P", "code:missing": "perhaps"}, (400, "value")),
        ("Observation", {"patient": "P", "_format": "xml"}, (406, "not-supported")),
        ("Observation", {"patient": "00000000"}, (404, "not-found")),
        ("Binary", {"patient": "P"}, (400, "not-supported")),
        ("Slot", {"patient": "P"}, (404, "not-supported")),
        ("Slot/1", {}, (404, "not-supported")),
        ("Observation/1", {}, (404, "not-found")),
        ("Observation/1/_history", {}, (404, "not-found")),
    ],
)
def test_what_cannot_be_answered_is_refused(client, path, query, told):
    asked = {name: client.patient if value == "P" else value for name, value in query.items()}
    assert outcome(client.get(path, **asked)) == told


def test_strictly_handled_what_is_unknown_is_refused(client):
    strict = {"Prefer": "handling=strict"}
    for query in ({"colour": "blue"}, {"_include": "Observation:subject"}, {"_revinclude": "Media:subject"}):
        assert outcome(client.get("Observation", strict, patient=client.patient, **query)) == (400, "not-supported")
        assert client.bundle("Observation", patient=client.patient, **query)["total"] > 50
    assert client.get("Observation", strict, patient=client.patient, code="8302-2", _count=1).status_code == 200


def test_other_forms_and_methods_are_refused(client):
    assert outcome(client.get("Observation", {"Accept": "application/fhir+xml"}, patient=client.patient))[0] == 406
    created = client.http.post(f"{client.base}/Observation", json={}, headers=client.headers(), timeout=5)
    assert outcome(created) == (405, "not-supported")
    deleted = client.http.delete(f"{client.base}/Patient/{client.patient}", headers=client.headers(), timeout=5)
    assert outcome(deleted) == (405, "not-supported")
