"""A backend service with keys of both kinds."""

import json
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet
from tests.reference.smart.apps import TYPE, Line, claims_of


class Service:
    def __init__(self, ehr) -> None:
        self.id = ehr.env["BULK_CLIENT_ID"]
        self.origin = ehr.url
        self.keys = KeySet.import_key_set(json.loads(Path(ehr.env["BULK_JWK_FILE"]).read_text(encoding="utf-8"))).keys
        self.http = Line(ehr._app())

    def assertion(self, alg="RS384", **changed):
        key = next(one for one in self.keys if one.alg == alg)
        claims = claims_of(self.id, self.origin) | changed
        return jwt.encode({"alg": alg, "typ": "JWT", "kid": key.kid}, claims, key, algorithms=[alg])

    def ask(self, scope, alg="RS384", **changes):
        sent = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": TYPE,
            "client_assertion": self.assertion(alg),
        }
        return self.http.post(f"{self.origin}/auth/token", data=sent | changes)

    def get(self, path, token):
        """The status of the answer."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/fhir+json"}
        return self.http.get(f"{self.origin}/fhir/{path}", headers=headers).status_code
