"""Clients of the APIs as the vendors' own example programs are: they know nothing of the server's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.jwk import import_key
from requests.adapters import BaseAdapter
from werkzeug.test import Client

import requests

PATIENTS = """
[[patient]]
id = "newman"
title = "Alice Newman"
name = { family = "Newman", given = ["Alice", "Jones"], prefix = "Ms." }
birth_date = "1970-05-01"
sex = "female"
birth_sex = "F"
race = [{ code = "2106-3", display = "White" }]
ethnicity = { code = "2186-5", display = "Not Hispanic or Latino" }
language = "en"
address = [{ use = "home", line = ["1357 Amber Dr"], city = "Beaverton", state = "OR", postal_code = "97006" }]
telecom = [{ system = "phone", use = "mobile", value = "+1-555-777-1234" }]
[[patient.encounters]]
id = "visit-2015"
code = { system = "cpt", code = "99213", display = "Office visit" }
start = "2015-06-22T10:00:00-05:00"
end = "2015-06-22T11:00:00-05:00"
[[patient.encounters]]
id = "visit-2016"
code = { system = "cpt", code = "99213", display = "Office visit" }
date = "2016-03-01"
[[patient.problems]]
code = { system = "snomed", code = "59621000", display = "Essential hypertension" }
start = "2011-10-05"
status = "active"
[[patient.problems]]
code = { system = "snomed", code = "83986005", display = "Severe hypothyroidism" }
start = "2015-06-22"
status = "active"
[[patient.problems]]
code = { system = "snomed", code = "386661006", display = "Fever" }
start = "2015-06-23"
status = "active"
[[patient.medications]]
code = { system = "rxnorm", code = "309090", display = "ceftriaxone 100 MG/ML" }
start = "2015-06-22"
status = "active"
[[patient.medications]]
code = { system = "rxnorm", code = "209459", display = "acetaminophen 500 MG" }
start = "2015-06-23"
status = "active"
[[patient.immunizations]]
code = { system = "cvx", code = "88", display = "Influenza" }
date = "2014-05-10"
status = "completed"
[[patient.vital_signs]]
code = { system = "loinc", code = "8302-2", display = "Body height" }
value = 177
unit = "cm"
date = "2015-06-22"
[[patient.laboratory_results]]
code = { system = "loinc", code = "5778-6", display = "Color of Urine" }
value = "Yellow"
date = "2015-06-22"
[[patient.udi]]
code = { system = "snomed", code = "704708004", display = "Cardiac resynchronization pacemaker" }
udi = "(01)00643169007222(17)160128(21)BLC200461H"
date = "2011-10-05"
[[patient.goals]]
text = "Get rid of intermittent fever"
date = "2015-06-22"
encounter = "visit-2015"
[[patient.goals]]
text = "Need to gain more energy"
date = "2016-03-01"
encounter = "visit-2016"
[[patient.goals]]
text = "Stay well"
[[patient.health_concerns]]
text = "Chronic sickness"
date = "2015-06-22"
[[patient.assessment_plan]]
kind = "assessment"
text = "Bilateral rales"
date = "2015-06-22"
[[patient.assessment_plan]]
kind = "plan"
text = "Get an EKG done"
date = "2015-06-23"
[[patient.notes]]
code = { system = "loinc", code = "11488-4", display = "Consultation note" }
date = "2015-06-22"
text = "Consulted about fever"
[[patient.notes]]
code = { system = "loinc", code = "11506-3", display = "Progress note" }
date = "2015-06-23"
text = "Fever is gone"

[[patient]]
id = "bates"
title = "Jeremy Bates"
name = { family = "Bates & Sons", given = ["Jeremy"] }
birth_date = "1980-08-01"
sex = "male"
race = [{ code = "2106-3", display = "White" }]
ethnicity = { code = "2186-5", display = "Not Hispanic or Latino" }
language = "en"
[[patient.encounters]]
id = "visit-2015"
code = { system = "cpt", code = "99213", display = "Office visit" }
date = "2015-07-22"
[[patient.problems]]
code = { system = "snomed", code = "59621000", display = "Essential hypertension" }
start = "2010-01-02"
status = "active"
[[patient.problems]]
code = { system = "snomed", code = "237602007", display = "Metabolic syndrome" }
start = "2015-06-23"
status = "active"
encounter = "visit-2015"
"""

WEBCHART_CATEGORIES = {
    "Patient Name": "recordTarget",
    "Gender Code": "recordTarget",
    "Birth Date": "recordTarget",
    "Patient Race": "recordTarget",
    "Patient Ethnicity": "recordTarget",
    "Patient Language": "recordTarget",
    "Smoking Status": "29762-2",
    "Problems": "11450-4",
    "Medications": "10160-0",
    "Allergies": "48765-2",
    "Results": "30954-2",
    "Vital Signs": "8716-3",
    "Procedures": "47519-4",
    "Care Team Members": "85847-2",
    "Immunizations": "11369-6",
    "Medical_Equipment": "46264-8",
    "Assessments": "51848-0",
    "Plan": "18776-5",
    "Goals": "61146-7",
    "Health Concerns": "75310-3",
}


class WebChartClient:
    """The calls of the vendor's Python programs, in Python 3."""

    def __init__(self, url: str, http=requests) -> None:
        self.url = url
        self.http = http
        self.cookie = ""

    def login(self, user: str, password: str) -> requests.Response:
        answer = self.http.post(self.url, data={"login_user": user, "login_passwd": password}, timeout=5)
        if "Set-Cookie" in answer.headers:
            self.cookie = answer.headers["Set-Cookie"].split("=")[1].split(";")[0]
        return answer

    def post(self, **fields: str) -> requests.Response:
        return self.http.post(self.url, data={"session_id": self.cookie, **fields}, timeout=5)

    def query(self, api: str) -> requests.Response:
        return self.post(f="json", apistring=encoded(api))

    def rows(self, api: str) -> list[dict[str, str]]:
        answer = self.query(api).json()
        assert answer["meta"]["status"] == "200"
        return answer["db"]

    def pat_id(self, last_name: str) -> str:
        return self.rows(f"GET/db/patients/LIKE_last_name={last_name}")[0]["pat_id"]

    def category(self, name: str, **fields: str) -> requests.Response:
        return self.post(f="layout", module="StructDocAPI", XML="1", name=name, **fields)

    def stream(self, doc_id: str, **fields: str) -> requests.Response:
        return self.post(f="stream", doc_id=doc_id, rawdata="1", **fields)


def encoded(api: str) -> str:
    return base64.b64encode(api.encode()).decode()


def webchart(ehr, http=requests) -> WebChartClient:
    """A client that is logged in."""
    client = WebChartClient(ehr.env["WC_URL"], http)
    assert client.login(ehr.env["WC_USER"], ehr.env["WC_PASS"]).headers["X-lg_status"] == "success"
    return client


class EhrYourWayClient:
    """The four calls of the vendor's documentation, with its signatures."""

    ORDER = "(request-target) host date digest content-length nonce x-authorization-timestamp"

    def __init__(self, base: str, client_id: str, password: str, http=requests) -> None:
        self.base = base
        self.http = http
        self.client_id = client_id
        self.password = password
        self.patient = ""
        self.token = ""

    def call(self, path: str, body: dict) -> requests.Response:
        return self.http.post(self.base + path, json=body, timeout=5)

    def login(self) -> dict:
        return self.call(
            "/EHRAuthenticationServer/api/web/ClientLogin", {"ClientId": self.client_id, "Password": self.password}
        ).json()

    def authenticate(self, reference: str) -> requests.Response:
        return self.call(
            "/EHRWebAPIServer/api/web/AuthenticateClientLogin",
            {"ClientId": self.client_id, "ReferenceNumber": reference},
        )

    def select(self) -> requests.Response:
        answer = self.authenticate(self.login()["ReferenceNumber"])
        if answer.headers["Content-Type"].startswith("application/json"):
            self.token = answer.json().get("AccessToken", "")
            self.patient = answer.json().get("ExternalPatientId", "")
        return answer

    def body(self, sections: list[str], **more: object) -> dict:
        return {
            "ClientId": self.client_id,
            "ExternalPatientId": self.patient,
            "AccessToken": self.token,
            "Sections": sections,
            "ClinicalDataAccessType": 2,
            **more,
        }

    def all_data(self, **more: object) -> requests.Response:
        return self.signed("GetClinicalData", self.body(["all"], **more))

    def category(self, *names: str, **more: object) -> requests.Response:
        return self.signed("GetClinicalDataByCategory", self.body(list(names), **more))

    def signed(
        self,
        call: str,
        body: dict,
        *,
        slashes: str = "/",
        headers: dict | None = None,
        parameters: dict | None = None,
        stamp: float | None = None,
        key: bytes | None = None,
        kind: str = "application/json",
    ) -> requests.Response:
        """A signed call; what is given besides the body replaces what an honest client would send."""
        path = f"/EHRWebAPIRequestHandler/api/web/{call}"
        content = json.dumps(body).encode()
        nonce = (parameters or {}).get("nonce", str(uuid.uuid4()))
        unix = str(int(time.time() if stamp is None else stamp))
        parts = {
            "(request-target)": f"post {path}",
            "host": urlsplit(self.base).netloc,
            "date": formatdate(usegmt=True),
            "digest": hashlib.sha256(content).hexdigest(),
            "content-length": str(len(content)),
            "nonce": nonce,
            "x-authorization-timestamp": unix,
        }
        text = "\n".join(f"{name}: {value}" for name, value in parts.items())
        own_key = hashlib.sha256(self.password.encode()).hexdigest().encode()
        mac = hmac.new(own_key if key is None else key, text.encode(), hashlib.sha256).digest()
        sent = {
            "keyId": self.client_id,
            "accessToken": body["AccessToken"],
            "algorithm": "hmac-sha256",
            "nonce": nonce,
            "headers": self.ORDER,
            "signature": base64.b64encode(mac).decode(),
        } | (parameters or {})
        listed = ",".join(f'{name}="{value}"' for name, value in sent.items() if value is not None)
        return self.http.post(
            f"{self.base}{slashes}{path[1:]}",
            data=content,
            headers={
                "Authorization": f"Signature {listed}",
                "Date": parts["date"],
                "digest": parts["digest"],
                "X-Authorization-Timestamp": unix,
                "Content-Type": kind,
            }
            | (headers or {}),
            timeout=5,
        )


def ehryourway(ehr, suffix: str = "", http=requests) -> EhrYourWayClient:
    """A client that has selected its patient."""
    client = EhrYourWayClient(ehr.env["EYW_BASE"], ehr.env[f"EYW_ID{suffix}"], ehr.env[f"EYW_PASS{suffix}"], http)
    client.select()
    return client


class DocRefClient:
    """A backend service as SMART App Launch 2 describes it."""

    SCOPE = "system/Patient.rs system/DocumentReference.rs system/Binary.rs"

    def __init__(self, ehr, http=requests) -> None:
        self.base = ehr.env["DOCREF_BASE"]
        self.client_id = ehr.env["DOCREF_CLIENT_ID"]
        self.key_file = Path(ehr.env["DOCREF_JWK_FILE"])
        self.http = http
        self.token = ""

    @property
    def key(self):
        return import_key(json.loads(self.key_file.read_text(encoding="utf-8")))

    def configuration(self) -> dict:
        return self.http.get(f"{self.base}/.well-known/smart-configuration", timeout=5).json()

    def assertion(self, key=None, alg: str = "RS384", **changed: object) -> str:
        """What an honest client would sign, with some claims changed; None leaves a claim out."""
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.configuration()["token_endpoint"],
            "exp": int(time.time()) + 200,
            "jti": str(uuid.uuid4()),
        } | changed
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": alg, "typ": "JWT"}, kept, key or self.key, algorithms=[alg])

    def ask(self, signed: str | None = None, **changed: str) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "scope": self.SCOPE,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion() if signed is None else signed,
        } | changed
        return self.http.post(self.configuration()["token_endpoint"], data=form, timeout=5)

    @property
    def headers(self) -> dict:
        return {"Accept": "application/fhir+json", "Authorization": f"Bearer {self.token}"}

    def get(self, path: str, headers: dict | None = None, **query: str) -> requests.Response:
        url = path if path.startswith("http") else f"{self.base}/{path}"
        return self.http.get(url, params=query, headers=self.headers | (headers or {}), timeout=5)

    def ids(self, **query: str) -> list[str]:
        return [entry["resource"]["id"] for entry in self.get("Patient", **query).json()["entry"]]

    def url(self, **query: str) -> str:
        bundle = self.get("DocumentReference/$docref", **query).json()
        return bundle["entry"][0]["resource"]["content"][0]["attachment"]["url"]

    def document(self, **query: str) -> bytes:
        return base64.b64decode(self.get(self.url(**query)).json()["data"])


def docref(ehr, http=requests) -> DocRefClient:
    """A client that has its token."""
    client = DocRefClient(ehr, http)
    client.token = client.ask().json()["access_token"]
    return client


def in_process(ehr) -> requests.Session:
    """The same requests without sockets, for tests that make thousands."""
    session = requests.Session()
    session.trust_env = False
    app = ehr._app()
    for origin in (ehr.url, ehr.secure_url):
        session.mount(origin, _InProcess(app))
    return session


class _InProcess(BaseAdapter):
    def __init__(self, app) -> None:
        super().__init__()
        self.client = Client(app, use_cookies=False)

    def send(self, request, **_):
        answer = self.client.open(
            request.path_url,
            base_url=request.url.removesuffix(request.path_url),
            method=request.method,
            headers=dict(request.headers),
            data=request.body,
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response._content = answer.data
        response.encoding = "utf-8"
        response.url = request.url
        response.request = request
        return response

    def close(self) -> None:
        pass
