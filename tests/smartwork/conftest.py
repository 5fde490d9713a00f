"""Apps at a small authorization server that a test can spoil."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from joserfc.jwk import ECKey
from tests.smartwork.double import Double, served

from onc_conformance import targets
from onc_conformance.exchange import Journal
from onc_conformance.redaction import Secrets
from onc_conformance.smartwork.door import Smart
from onc_conformance.smartwork.launches import Chosen
from onc_conformance.targets import Client
from onc_conformance.targets.loading import load_text

SUBJECT = SimpleNamespace(id="ann", record=SimpleNamespace(patient_variables=lambda: {"id": "ann", "family": "Lee"}))


@pytest.fixture
def double():
    made = Double()
    server = served(made)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def connect(double, tmp_path):
    """Makes the door to authorization at the server; `old` and `new` change the bundled description."""
    journals = []
    key = tmp_path / "app.jwk"
    key.write_text(json.dumps(ECKey.generate_key("P-384").as_dict(private=True)))

    def made(*changes, version="2.0.0", noted=None, **env):
        text = targets.show("fhir")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        settings = {
            "FHIR_BASE": f"{double.url}/fhir",
            "FHIR_TOKEN": "a token for everything",
            "SMART_PUBLIC_ID": "public-app",
            "SMART_SYMMETRIC_ID": "symmetric-app",
            "SMART_SYMMETRIC_SECRET": "secret of the app",
            "SMART_ASYMMETRIC_ID": "asymmetric-app",
            "SMART_ASYMMETRIC_JWK_FILE": str(key),
            "SMART_PATIENT_USER": "ann",
            "SMART_PATIENT_PASSWORD": "correct horse",
            "SMART_CLINICIAN_USER": "doc",
            "SMART_CLINICIAN_PASSWORD": "correct horse",
            **env,
        }
        target = load_text(text, "fhir.toml", {name: value for name, value in settings.items() if value})
        journals.append(Journal(Secrets()))
        client = Client(target, journals[-1], sleep=lambda seconds: None)
        return Smart(
            client,
            target.description.smart,
            target.bases["fhir"],
            version,
            ["Patient", "Condition"],
            (noted if noted is not None else []).extend,
            lambda person, encounter: Chosen(SUBJECT, "p1", "e1" if encounter else ""),
        )

    yield made
    for journal in journals:
        journal.close()


@pytest.fixture
def smart(connect):
    return connect()
