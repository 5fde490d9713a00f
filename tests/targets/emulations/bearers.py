"""The vendors with a bearer token: Canvas, Elation, NextGen Office, Aidbox, Oracle Health Millennium."""

from __future__ import annotations

import base64
import json
import secrets

from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.targets.emulations.base import Emulation, Said

FHIR = "application/fhir+json"


class Bearer(Emulation):
    """One whose requests carry a bearer token; says 401 without."""

    def __init__(self, *defects, **more):
        super().__init__(*defects, **more)
        self.tokens = {}
        """Token and the chart it is for; None is everybody's."""

    def issue(self, chart=None):
        token = secrets.token_hex(16)
        self.tokens[token] = chart
        return token

    def token_answer(self, good):
        if not good:
            return Said({"error": "invalid_client"}, status=401)
        return Said({"access_token": self.issue(), "token_type": "Bearer", "expires_in": 3600})

    def refusal(self, asked):
        if not self.trusted(asked.bearer in self.tokens):
            return Said({"detail": "log in"}, status=401)
        return None

    def bundle(self, asked, form=FHIR):
        """A FHIR search for patients, one resource on each page."""
        query = asked.query
        found = self.find(query.get("family") or "?", query.get("given", ""), query.get("birthdate", ""))
        named = [chart for chart in self.charts if chart.family == query.get("family")]
        shown = found or named[:0]
        at = int(query.get("page", "0"))
        link = [{"relation": "self", "url": self.url + asked.path}]
        if at == 0:
            link.append({"relation": "next", "url": f"{asked.path}?family={query.get('family')}&page=1"})
        entry = [{"resource": self.resource(chart)} for chart in shown] if at == 0 else []
        return Said({"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entry}, form)

    def resource(self, chart):
        name = {"family": chart.family, "given": list(chart.given)}
        return {
            "resourceType": "Patient",
            "id": self.number(chart),
            "name": [name],
            "birthDate": chart.birth_date,
        }


class Canvas(Bearer):
    target = "canvas"

    def env(self):
        return {"CANVAS_URL": self.url, "CANVAS_TOKEN": self.issue()}

    def answer(self, asked):
        if refused := self.refusal(asked):
            return refused
        if asked.path == "/Patient":
            return self.bundle(asked)
        number = asked.path.removeprefix("/api/data-export/ccda/")
        if (chart := self.by_number(number)) is None or asked.query.get("document") != "continuity":
            return Said("no such patient", "text/plain", 404)
        try:
            window = self.window(asked.query.get("start_date"), asked.query.get("end_date"))
        except ValueError:
            return Said("bad date", "text/plain", 400)
        return Said(self.document(chart, window), "application/xml")


class Elation(Bearer):
    target = "elation"

    def env(self):
        return {
            "ELATION_URL": self.url,
            "ELATION_CLIENT_ID": "elation-client",
            "ELATION_CLIENT_SECRET": "elation client secret",
        }

    def answer(self, asked):
        path = asked.path.removeprefix("/api/2.0/")
        if path == "oauth2/token/":
            sent = asked.form
            return self.token_answer(
                (sent.get("client_id"), sent.get("client_secret")) == ("elation-client", "elation client secret")
                and sent.get("grant_type") == "client_credentials"
            )
        if refused := self.refusal(asked):
            return refused
        if path == "patients/":
            query = asked.query
            found = self.find(query.get("last_name") or "?", query.get("first_name", ""), query.get("dob", ""))
            rows = [
                {"id": int(self.number(c)), "last_name": c.family, "first_name": c.given[0], "dob": c.birth_date}
                for c in found
            ]
            # somebody of nearly that name comes first, on a page alone
            near = {"id": 9, "last_name": query.get("last_name", "") + "-Other", "first_name": "X", "dob": "1900-01-01"}
            every, at = [near, *rows], int(query.get("offset", "0"))
            return Said({"count": len(every), "results": every[at : at + 1]})
        chart = self.by_number(path.removeprefix("ccda/").rstrip("/"))
        if chart is None:
            return Said({"detail": "Not found."}, status=404)
        try:
            window = self.window(asked.query.get("start_date"), asked.query.get("end_date"))
        except ValueError:
            return Said({"detail": "Bad date."}, status=400)
        if names := asked.query.get("sections"):
            wanted = [name for name in names.split(",") if name != "demographics"]
            data = self.category(chart, wanted, window)
        else:
            data = self.document(chart, window)
        return Said({"id": int(self.number(chart)), "base64_ccda": base64.b64encode(data).decode()})


class NextGenOffice(Bearer):
    target = "nextgen-office"
    bound = ("NGO_TOKEN", "NGO_PATIENT")

    def env(self):
        named = {"NGO_URL": self.url}
        for at, chart in enumerate(self.charts):
            more = "" if at == 0 else f"_{at + 1}"
            named |= {f"NGO_TOKEN{more}": self.issue(chart), f"NGO_PATIENT{more}": self.number(chart)}
        return named

    def answer(self, asked):
        if refused := self.refusal(asked):
            return refused
        chart = self.by_number(asked.query.get("patient"))
        if asked.path != "/ccda" or chart is None:
            return Said("not found", "text/plain", 404)
        if not self.trusted(self.tokens.get(asked.bearer) is chart) and "first-patient-always" not in self.defects:
            return Said("forbidden", "text/plain", 403)
        bounds = {"ge": "", "le": "", "eq": ""}
        for name, value in asked.queries:
            if name == "date":
                if value[:2] not in bounds:
                    return Said("bad date", "text/plain", 400)
                bounds[value[:2]] = value[2:]
        try:
            window = self.window(bounds["eq"] or bounds["ge"], bounds["eq"] or bounds["le"])
        except ValueError:
            return Said("bad date", "text/plain", 400)
        return Said(self.document(chart, window), "application/xml")


class Aidbox(Bearer):
    target = "aidbox"

    def env(self):
        return {"AIDBOX_URL": self.url, "AIDBOX_CLIENT_ID": "a:client", "AIDBOX_CLIENT_SECRET": "aidbox/secret+word"}

    def answer(self, asked):
        if asked.path == "/auth/token":
            pair = base64.b64encode(b"a%3Aclient:aidbox%2Fsecret%2Bword").decode()
            return self.token_answer(asked.headers.get("authorization") == f"Basic {pair}")
        if refused := self.refusal(asked):
            return refused
        if asked.path == "/fhir/Patient":
            return self.bundle(asked)
        chart = self.by_number(asked.query.get("pid"))
        if asked.path != "/ccda/make-doc" or chart is None:
            return Said({"error": "no such patient"}, status=404)
        try:
            window = self.window(asked.query.get("start-date"), asked.query.get("end-date"))
        except ValueError:
            return Said({"error": "bad date"}, status=400)
        return Said(self.document(chart, window), "application/xml")


class Oracle(Bearer):
    target = "oracle"
    key = RSAKey.generate_key(2048, parameters={"kid": "k1"})

    def __init__(self, *defects, folder, **more):
        super().__init__(*defects, **more)
        self.file = folder / "jwk.json"
        self.file.write_text(json.dumps(self.key.as_dict(private=True)), encoding="utf-8")
        self.used = set()

    def env(self):
        return {
            "ORACLE_BASE": f"{self.url}/r4",
            "ORACLE_TOKEN_URL": f"{self.url}/token",
            "ORACLE_CLIENT_ID": "oracle-client",
            "ORACLE_JWK_FILE": str(self.file),
        }

    def answer(self, asked):
        if asked.path == "/token":
            return self.token_answer(self.asserted(asked.form))
        if refused := self.refusal(asked):
            return refused
        if asked.path == "/r4/Patient":
            return self.bundle(asked)
        if asked.path == "/r4/DocumentReference/$docref":
            return self.reference(asked)
        number, _, days = asked.path.removeprefix("/r4/Binary/").partition("_")
        chart = self.by_number(number)
        if chart is None:
            return self.outcome(404)
        first, _, last = days.partition("_")
        data = base64.b64encode(self.document(chart, self.window(first, last))).decode()
        return Said({"resourceType": "Binary", "contentType": "application/xml", "data": data}, FHIR)

    def asserted(self, form):
        token = jwt.decode(form.get("client_assertion", ""), self.key, algorithms=["RS384"])
        claims, fresh = token.claims, token.claims["jti"] not in self.used
        self.used.add(claims["jti"])
        who = claims["iss"] == claims["sub"] == "oracle-client"
        return fresh and who and claims["aud"] == f"{self.url}/token" and token.header["kid"] == "k1"

    def reference(self, asked):
        if self.by_number(asked.query.get("patient")) is None:
            return self.outcome(404)
        bounds = [asked.query.get(name, "") for name in ("start", "end")]
        if any(bound and "T" not in bound for bound in bounds):
            return self.outcome(400)
        days = "_".join(bound.partition("T")[0] for bound in bounds)
        attachment = {"contentType": "application/xml", "url": f"Binary/{asked.query['patient']}_{days}"}
        entry = {"resource": {"resourceType": "DocumentReference", "content": [{"attachment": attachment}]}}
        return Said({"resourceType": "Bundle", "type": "searchset", "entry": [entry]}, FHIR)

    @staticmethod
    def outcome(status):
        return Said({"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}, FHIR, status)


class DocRef(Oracle):
    """The same, found by the configuration it publishes."""

    target = "docref"

    def env(self):
        return {
            "DOCREF_BASE": f"{self.url}/r4",
            "DOCREF_CLIENT_ID": "oracle-client",
            "DOCREF_JWK_FILE": str(self.file),
        }

    def answer(self, asked):
        if asked.path == "/r4/.well-known/smart-configuration":
            return Said({"token_endpoint": f"{self.url}/token"})
        return super().answer(asked)
