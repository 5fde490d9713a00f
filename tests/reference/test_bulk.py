"""The export of groups as a client of nobody's sees it."""

import json
import time

import pytest
from tests.reference.clients import in_process

from onc_conformance import suite
from onc_conformance.reference import ReferenceEHR
from onc_conformance.reference.fhir.access import Grant
from onc_conformance.reference.fhir.misbulk import HANDLERS
from onc_conformance.reference.settings import Settings


class Client:
    """A backend service with a token that was given to it by hand."""

    def __init__(self, ehr, *scopes):
        self.http, self.base, self.env = in_process(ehr), ehr.env["FHIR_BASE"], ehr.env
        self.token = ehr._access.issue(Grant(scopes or ("system/*.rs",)))

    def get(self, url, method="GET", **headers):
        url = url if url.startswith("http") else f"{self.base}/{url}"
        told = {"Authorization": f"Bearer {self.token}", "Accept": "application/fhir+json", "Prefer": "respond-async"}
        told = {name: value for name, value in {**told, **headers}.items() if value}
        return self.http.request(method, url, headers=told, timeout=5)

    def begun(self, query="", group="BULK_GROUP"):
        return self.get(f"Group/{self.env[group]}/$export{query}")

    def manifest(self, answer):
        assert answer.status_code == 202, answer.text
        while (told := self.get(answer.headers["Content-Location"])).status_code == 202:
            assert told.headers["Retry-After"] == "1"
            assert told.headers["X-Progress"]
            time.sleep(0.02)
        assert told.headers["Content-Type"] == "application/json"
        assert told.headers["Expires"]
        return told.json()

    def lines(self, manifest):
        found = {}
        for output in manifest["output"]:
            answer = self.get(output["url"])
            assert answer.headers["Content-Type"] == "application/fhir+ndjson"
            resources = [json.loads(line) for line in answer.text.splitlines()]
            assert len(resources) == output["count"]
            assert {one["resourceType"] for one in resources} == {output["type"]}
            found.setdefault(output["type"], []).extend(resources)
        return found


@pytest.fixture(scope="module")
def ehr():
    settings = Settings(bulk_seconds=0.05, bulk_lines=20)
    with ReferenceEHR(patients=[suite.schemas() / "patients" / "tiny.toml"], settings=settings) as running:
        yield running


@pytest.fixture
def client(ehr):
    return Client(ehr)


def test_a_group_is_exported_whole(client):
    answer = client.begun()
    manifest = client.manifest(answer)
    assert manifest["request"] == answer.url
    assert manifest["requiresAccessToken"] is True
    assert manifest["error"] == manifest["deleted"] == []
    found = client.lines(manifest)
    group = client.get(f"Group/{client.env['BULK_GROUP']}").json()
    members = {one["entity"]["reference"] for one in group["member"]}
    assert {f"Patient/{one['id']}" for one in found["Patient"]} == members
    assert len(members) == 2
    assert {"Condition", "Observation", "Provenance", "Practitioner", "Organization"} <= set(found)
    assert not {"Group", "Binary"} & set(found)
    assert sum(output["type"] == "Provenance" for output in manifest["output"]) == 3


def test_the_other_group_is_one_patient_and_what_is_about_them(client):
    found = client.lines(client.manifest(client.begun(group="BULK_OTHER_GROUP")))
    [patient] = found["Patient"]
    whose = {one["subject"]["reference"] for one in found["Condition"]}
    assert whose == {f"Patient/{patient['id']}"}


def test_types_and_moments_narrow_an_export(client):
    found = client.lines(client.manifest(client.begun("?_type=Patient,Goal&_type=Device")))
    assert set(found) == {"Patient", "Goal", "Device"}
    every = client.lines(client.manifest(client.begun("?_type=Condition")))["Condition"]
    middle = sorted(one["meta"]["lastUpdated"] for one in every)[5]
    late = client.lines(client.manifest(client.begun(f"?_type=Condition&_since={middle}")))["Condition"]
    assert {one["id"] for one in late} == {one["id"] for one in every if one["meta"]["lastUpdated"] > middle}
    assert client.manifest(client.begun("?_since=2030-01-01T00:00:00%2B01:00"))["output"] == []


@pytest.mark.parametrize(
    "name", ["ndjson", "application/ndjson", "application/fhir%2Bndjson", "application/fhir+ndjson"]
)
def test_the_format_has_several_names(client, name):
    assert client.begun(f"?_outputFormat={name}").status_code == 202


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("Group/0/$export", {}, 404, "not-found"),
        ("$export", {}, 501, "not-supported"),
        ("GROUP/$export", {"Prefer": ""}, 400, "required"),
        ("GROUP/$export", {"Authorization": ""}, 401, "login"),
        ("GROUP/$export", {"Authorization": "Bearer nothing"}, 401, "login"),
        ("GROUP/$export?_outputFormat=csv", {}, 400, "not-supported"),
        ("GROUP/$export?_type=Nothing", {}, 400, "not-supported"),
        ("GROUP/$export?_since=yesterday", {}, 400, "value"),
        ("GROUP/$export?_elements=id", {}, 400, "not-supported"),
        ("bulk/0", {}, 404, "not-found"),
        ("bulk/0/Patient-1.ndjson", {}, 404, "not-found"),
    ],
)
def test_what_cannot_be_served_is_refused_with_a_reason(client, path, headers, status, code):
    answer = client.get(path.replace("GROUP", f"Group/{client.env['BULK_GROUP']}"), **headers)
    assert answer.status_code == status
    assert answer.json()["issue"][0]["code"] == code


def test_scopes_are_all_that_is_exported(ehr):
    narrow = Client(ehr, "system/Patient.rs", "system/Goal.rs")
    assert set(narrow.lines(narrow.manifest(narrow.begun()))) == {"Patient", "Goal"}
    assert narrow.begun("?_type=Condition").status_code == 403
    assert Client(ehr, "user/*.rs").begun().status_code == 403
    whole = Client(ehr)
    [condition] = whole.manifest(whole.begun("?_type=Condition"))["output"]
    assert narrow.get(condition["url"]).status_code == 403


def test_deletion_leaves_nothing(client):
    answer = client.begun()
    manifest = client.manifest(answer)
    assert client.get(answer.headers["Content-Location"], "DELETE").status_code == 202
    assert client.get(answer.headers["Content-Location"]).status_code == 404
    assert client.get(manifest["output"][0]["url"]).status_code == 404
    assert client.get(answer.headers["Content-Location"], "DELETE").status_code == 404


def test_an_export_can_be_stopped_on_the_way(client):
    answer = client.begun()
    assert client.get(answer.headers["Content-Location"]).status_code == 202
    assert client.get(answer.headers["Content-Location"], "DELETE").status_code == 202
    assert client.get(answer.headers["Content-Location"]).status_code == 404


def test_the_statement_declares_the_operation(client):
    statement = client.get("metadata").json()
    [group] = [one for one in statement["rest"][0]["resource"] if one["type"] == "Group"]
    assert group["operation"][0]["definition"].endswith("/OperationDefinition/group-export")


def test_the_older_version_has_no_list_of_deletions():
    settings = Settings(bulk_version="1.0.1", bulk_seconds=0)
    with ReferenceEHR(patients=[suite.schemas() / "patients" / "tiny.toml"], settings=settings) as running:
        client = Client(running)
        assert "deleted" not in client.manifest(client.begun())


def test_every_fault_is_in_the_catalogue():
    from onc_conformance.reference.faults import CATALOGUE

    assert set(HANDLERS) <= {fault.id for fault in CATALOGUE}
