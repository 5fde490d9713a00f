"""A small FHIR server of its own for tests: two patients, searches by patient, and defects by name."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

TOKEN = "tok-2b7e151628aed2a6"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
GUIDE = "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server"
HAS = ("Patient", "Condition", "Procedure", "Provenance", "Practitioner")
LACKS = (
    "AllergyIntolerance", "CarePlan", "CareTeam", "Coverage", "Device", "DiagnosticReport", "DocumentReference",
    "Encounter", "Goal", "Immunization", "Location", "Medication", "MedicationDispense", "MedicationRequest",
    "Observation", "Organization", "PractitionerRole", "RelatedPerson", "ServiceRequest", "Specimen",
)  # fmt: skip

DESCRIPTION = f"""
[target]
id = "smalltown"
base.fhir = "{{env.SMALLTOWN}}"
criteria = ["g10"]

[product]
name = "Smalltown"

[[auth.step]]
kind = "static"
token = "{{env.SMALLTOWN_TOKEN}}"

[selection]
kind = "search"

[[ops.select_patient.step]]
url = "{{base.fhir}}/Patient"
query = {{ name = "{{patient.family}}", birthdate = "{{patient.dob}}" }}
capture.pat_id = {{ from = "json", path = "$.entry[*].resource.id", pick = "only" }}

[fhir]
without = {json.dumps(LACKS)}

[[error]]
class = "no_match"
status = [404]
"""

PATIENTS = """
[[patient]]
id = "ada"
title = "Ada Example"
name = { family = "Example", given = ["Ada"] }
birth_date = "1980-02-03"
sex = "female"

[[patient.problems]]
code = { system = "snomed", code = "59621000", display = "Essential hypertension (disorder)" }
start = "2016-09-01"
status = "active"

[[patient.procedures]]
code = { system = "snomed", code = "80146002", display = "Excision of appendix (procedure)" }
date = "2019-05-06"

[[patient]]
id = "bob"
title = "Bob Sample"
name = { family = "Sample", given = ["Bob"] }
birth_date = "1970-01-01"
sex = "male"

[[patient.problems]]
code = { system = "snomed", code = "195967001", display = "Asthma (disorder)" }
start = "2011-04-05"
status = "active"
"""


def coded(system, code, text):
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def resource(kind, id_, profile, **elements):
    return {"resourceType": kind, "id": id_, "meta": {"profile": [US_CORE + profile]}, **elements}


def patient(id_, family, given, born, gender):
    return resource(
        "Patient", id_, "us-core-patient", birthDate=born, gender=gender,
        identifier=[{"system": "urn:smalltown", "value": f"mrn-{id_}"}],
        name=[{"family": family, "given": [given]}],
    )  # fmt: skip


def condition(id_, whose, code, text, onset, category="problem-list-item"):
    terms = "http://terminology.hl7.org/CodeSystem"
    return resource(
        "Condition", id_, "us-core-condition-problems-health-concerns",
        clinicalStatus=coded(f"{terms}/condition-clinical", "active", "Active"),
        verificationStatus=coded(f"{terms}/condition-ver-status", "confirmed", "Confirmed"),
        category=[coded(f"{terms}/condition-category", category, "Problem List Item")],
        code=coded("http://snomed.info/sct", code, text),
        subject={"reference": f"Patient/{whose}"}, onsetDateTime=onset, recordedDate=onset,
    )  # fmt: skip


def procedure(id_, whose, code, text, day):
    return resource(
        "Procedure", id_, "us-core-procedure", status="completed",
        code=coded("http://snomed.info/sct", code, text), subject={"reference": f"Patient/{whose}"},
        performedDateTime=day, performer=[{"actor": {"reference": "Practitioner/dr"}}],
    )  # fmt: skip


def resources():
    found = [
        patient("p1", "Example", "Ada", "1980-02-03", "female"),
        patient("p2", "Sample", "Bob", "1970-01-01", "male"),
        condition("c1", "p1", "59621000", "Essential hypertension", "2016-09-01"),
        condition("c2", "p1", "37796009", "Migraine", "2018-04-10"),
        condition("c3", "p1", "195967001", "Asthma", "2019-04-10"),
        condition("c4", "p2", "195967001", "Asthma", "2011-04-05"),
        procedure("o1", "p1", "80146002", "Appendectomy", "2019-05-06"),
        procedure("o2", "p1", "73761001", "Colonoscopy", "2020-07-08"),
        procedure("o3", "p1", "73761001", "Colonoscopy", "2021-07-08"),
        procedure("o4", "p2", "73761001", "Colonoscopy", "2021-07-09"),
        resource(
            "Practitioner", "dr", "us-core-practitioner", name=[{"family": "Who"}],
            identifier=[{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}],
        ),
    ]  # fmt: skip
    return found + [provenance(each) for each in found if each["resourceType"] != "Practitioner"]


def provenance(of):
    return resource(
        "Provenance", f"v-{of['id']}", "us-core-provenance",
        target=[{"reference": f"{of['resourceType']}/{of['id']}"}], recorded="2024-01-02T03:04:05Z",
        agent=[
            {
                "type": coded("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "author", "Author"),
                "who": {"reference": "Practitioner/dr"},
            }
        ],
    )  # fmt: skip


PLACES = {
    "category": ("category", 0, "coding", 0),
    "code": ("code", "coding", 0),
}
DATES = {"date": ("performedDateTime",), "birthdate": ("birthDate",)}


def inside(value, path):
    for part in path:
        value = value[part]
    return value


def fits(each, name, asked, defects):
    if name == "patient":
        return each.get("subject", {}).get("reference") == f"Patient/{asked.removeprefix('Patient/')}"
    if name == "_id":
        return each["id"] == asked
    if name in PLACES:
        coding = inside(each, PLACES[name])
        return "ignores-codes" in defects or asked in {coding["code"], f"{coding['system']}|{coding['code']}"}
    if name in DATES:
        day = inside(each, DATES[name])
        prefix, wanted = (asked[:2], asked[2:]) if asked[:2].isalpha() else ("eq", asked)
        if "ignores-comparators" in defects:
            return True
        later, same = day > wanted, day.startswith(wanted)
        told = {"eq": same, "ge": later or same, "gt": later, "le": not later or same, "lt": not later and not same}
        return told[prefix]
    if name == "identifier":
        told = each["identifier"][0]
        return asked in {told["value"], f"{told['system']}|{told['value']}"}
    if name == "name":
        return each["name"][0]["family"].lower().startswith(asked.lower())
    return each.get(name) == asked if name == "gender" else True


class Smalltown:
    """Serves on a free loopback port while it is entered; `defects` are what it does wrong."""

    def __init__(self, *defects, change=None):
        self.defects = frozenset(defects)
        self.resources = resources()
        if change:
            change(self.resources)

    def answer(self, handler, method):
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        asked = [*parse_qsl(parts.query), *parse_qsl(body if "ignores-bodies" not in self.defects else "")]
        path = parts.path.strip("/").split("/")
        if path == ["metadata"]:
            return 200, self.statement()
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, outcome("login")
        if len(path) == 2 and path[1] != "_search":
            found = [each for each in self.resources if [each["resourceType"], each["id"]] == path]
            return (200, found[0]) if found else (404, outcome("not-found"))
        return self.search(path[0], asked, parts.query)

    def search(self, kind, asked, query):
        names = dict(asked)
        days = [value for name, value in asked if name in DATES]
        if any(not value.lstrip("geltq")[:4].isdigit() for value in days):
            empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
            return (200, empty) if "empty-for-bad-dates" in self.defects else (400, outcome("invalid"))
        found = [
            each
            for each in self.resources
            if each["resourceType"] == kind and all(fits(each, *pair, self.defects) for pair in asked)
        ]
        if "drops-every-second" in self.defects and kind != "Patient":
            found = found[1::2]
        if "everybody" in self.defects and kind == "Condition":
            found = [each for each in self.resources if each["resourceType"] == kind]
        entries = [entry(each, "match") for each in found]
        link = [{"relation": "self", "url": f"{self.url}/{kind}?{query}"}]
        size, start = int(names.get("_count", 50)), int(names.get("_start", 0))
        if len(entries) > start + size and "stops-paging" not in self.defects:
            plain = "&".join(each for each in query.split("&") if not each.startswith("_start"))
            link += [{"relation": "next", "url": f"{self.url}/{kind}?{plain}&_start={start + size}"}]
        page = entries[start : start + size]
        if names.get("_revinclude") and "no-provenance" not in self.defects:
            here = {f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in page}
            page += [
                entry(each, "include")
                for each in self.resources
                if each["resourceType"] == "Provenance" and each["target"][0]["reference"] in here
            ]
        total = len(entries) + (3 if "lies-about-total" in self.defects else 0)
        return 200, {"resourceType": "Bundle", "type": "searchset", "total": total, "link": link, "entry": page}

    def statement(self):
        from onc_conformance import fhir

        searches = fhir.load("6.1.0").searches
        return {
            "resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": "4.0.1",
            "format": ["json"],
            "instantiates": [f"{GUIDE}|3.1.1"] if "another-version" in self.defects else [GUIDE],
            "rest": [
                {
                    "mode": "server",
                    "resource": [
                        {
                            "type": kind,
                            "supportedProfile": list(searches[kind]["profiles"]),
                            "searchRevInclude": list(searches[kind]["revincludes"]),
                            "interaction": [{"code": "read"}, {"code": "search-type"}],
                            "searchParam": [{"name": name, "type": "token"} for name in searches[kind]["parameters"]],
                        }
                        for kind in HAS
                        if f"undeclared-{kind}" not in self.defects
                    ],
                }
            ],
        }  # fmt: skip

    def __enter__(self):
        town = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, told = town.answer(self, self.command)
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/fhir+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=2)


def outcome(code):
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


def entry(each, mode):
    return {"fullUrl": f"urn:{each['id']}", "resource": each, "search": {"mode": mode}}
