"""The reference EHR: three APIs and their documentation on one loopback port, for as long as it is open."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from flask import Flask

from onc_conformance.reference import certificates, charted, pages, patientsfile, stored, webchart
from onc_conformance.reference import charts as files
from onc_conformance.reference.ccd import FAULTS as OF_CONTENT
from onc_conformance.reference.clerk import Clerk
from onc_conformance.reference.docref import DocRef
from onc_conformance.reference.ehryourway import EhrYourWay
from onc_conformance.reference.faults import known
from onc_conformance.reference.fhir import given, records
from onc_conformance.reference.fhir.access import Access, Grant
from onc_conformance.reference.fhir.bulk import BulkData
from onc_conformance.reference.fhir.directory import DOCTOR, Directory
from onc_conformance.reference.fhir.server import BASE as FHIR
from onc_conformance.reference.fhir.server import FhirServer
from onc_conformance.reference.people import People, Person
from onc_conformance.reference.selection import Selection
from onc_conformance.reference.settings import Settings
from onc_conformance.reference.smart.server import AuthorizationServer, Resident
from onc_conformance.reference.webchart import WebChart
from onc_conformance.reference.wire import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_LARGEST_REQUEST = 4_000_000


class ReferenceEHR:
    """A server with the patients of some files, or the bundled ones, and with charts of real documents, or none.

    Its FHIR server has resources written from the same charts, or those of the Bundles in `fhir`.

    ValueError, one line, on a patients file, Bundle or fault it cannot use; OSError if the port is taken.
    """

    def __init__(  # noqa: PLR0917 - the first four are what anyone gives
        self,
        patients: Sequence[Path] | None = None,
        charts: Path | None = None,
        faults: Iterable[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        settings: Settings | None = None,
        fhir: Sequence[Path] = (),
    ) -> None:
        self._faults = known(faults)
        self._settings = settings or Settings()
        self._host = host
        self._port = port
        self.notes: list[str] = []
        """What its operator should know, a line each."""
        self._people = People(self._persons(patients, charts))
        clerk = Clerk(self._people, self._faults)
        self._webchart = WebChart(self._people, clerk, self._faults, self._settings)
        self._ehryourway = EhrYourWay(self._people, clerk, self._faults, self._settings)
        self._access = Access(self._settings.token_life, self._faults)
        self._fhir = self._fhir_server(fhir)
        self._docref = DocRef(self._people, clerk, self._faults, self._settings, self._access, self._fhir)
        self._bulk = BulkData(self._fhir, self._access, self._faults, self._settings)
        self._smart = self._authorization()
        self._files: list[Path] = []
        self._room: tempfile.TemporaryDirectory[str] | None = None
        self._listeners: list[Listener] = []
        self._url = self._secure_url = ""
        self._env: dict[str, str] = {}

    def _persons(self, patients: Sequence[Path] | None, folder: Path | None) -> list[Person]:
        persons: list[Person] = []
        if patients is not None or folder is None:
            loaded = files.load(files.bundled() if patients is None else patients)
            persons += [charted.ChartedPerson(chart, self._faults & OF_CONTENT) for chart in loaded]
        if folder is not None:
            real, notes = stored.load(folder, taken={person.key for person in persons})
            self.notes += notes
            if not real:
                raise ValueError(f"{folder}: no C-CDA document in this folder; name one that holds *.xml of patients")
            for fault in sorted(self._faults & OF_CONTENT):
                self.notes.append(f"{fault}: changes nothing in charts made of real documents")
            persons += real
        if not persons:
            raise ValueError("no patients: give a patients file, or none for the bundled patients")
        return persons

    def _fhir_server(self, bundles: Sequence[Path]) -> FhirServer:
        """With the resources of the Bundles, or those written from the charts."""
        version = self._settings.us_core
        if bundles:
            loaded = given.load(bundles)
            return FhirServer(lambda: loaded, self._access, self._faults, version)
        return FhirServer(
            lambda: records.of_people(self._people, f"{self._secure_url}{FHIR}", version),
            self._access,
            self._faults,
            version,
            Selection(self._people, self._faults),
        )

    def _authorization(self) -> AuthorizationServer:
        patient = self._fhir.first_patient()
        return AuthorizationServer(
            self._fhir,
            self._access,
            self._settings,
            self._faults,
            patient=Resident("the patient", f"Patient/{patient}"),
            clinician=Resident(f"Dr. {DOCTOR}", self._clinician()),
            services=[self._docref.app],
        )

    def _clinician(self) -> str:
        """Type/id of who logs in as one: of given resources the first there is."""
        given = () if self._fhir.charted else self._fhir.records.of_type("Practitioner")
        return next((f"Practitioner/{one['id']}" for one in given), Directory.doctor())

    # --- being open

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Listen and answer, in a thread of its own."""
        app = self._app()
        self._listeners = [Listener(self._host, self._port, app)]
        tls = certificates.context(certificates.authority(), self._host, self._faults)
        plain_too = "smart-plain-http-answered" in self._faults
        self._listeners.append(Listener(self._host, 0, app, tls, plain_too=plain_too))
        self._url, self._secure_url = (each.url for each in self._listeners)
        self._room = tempfile.TemporaryDirectory(prefix="reference-ehr-")
        self._env = self._variables()
        self.place_files(Path(self._room.name) / "files")
        for listener in self._listeners:
            listener.start()

    def close(self) -> None:
        """Stop listening and take the client's key away; closing twice does no harm."""
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        for file in self._files:
            file.unlink(missing_ok=True)
        if self._room:
            self._room.cleanup()
        self._files, self._room = [], None

    def place_files(self, stem: Path) -> None:
        """Keep the clients' private keys and the authority's certificate in files whose names begin with `stem`.

        They are for their owner alone, and gone when this closes; earlier ones are gone at once.
        """
        written: list[Path] = []
        for name, (suffix, content) in self._kept_files().items():
            path = stem.with_name(f"{stem.name}.{suffix}")
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
            self._env[name] = str(path)
            written.append(path)
        for kept in self._files:
            if kept not in written:
                kept.unlink(missing_ok=True)
        self._files = written

    def _kept_files(self) -> dict[str, tuple[str, str]]:
        """How a file's name ends and what is in it, by the variable that names it."""
        keys = self._smart.keys()
        return {
            "DOCREF_JWK_FILE": ("docref.jwk", self._docref.private_jwk()),
            "FHIR_CA_FILE": ("ca.pem", certificates.authority().pem.decode()),
            "BULK_KEYS_CERTIFICATE": ("keys.pem", certificates.authority().issue({"127.0.0.1"}).decode()),
            **{name: (f"{name.removesuffix('_JWK_FILE').lower()}.jwk", key) for name, key in keys.items()},
        }

    # --- what a client has to know

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end; empty before it has started."""
        return self._url

    @property
    def secure_url(self) -> str:
        """Where it listens by TLS; empty before it has started."""
        return self._secure_url

    @property
    def env(self) -> dict[str, str]:
        """The variables that the bundled target descriptions use; empty before it has started."""
        return dict(self._env)

    @property
    def patients_toml(self) -> str:
        """A patients file with the records of everybody here and their logins."""
        return patientsfile.written(self._people.all)

    def _variables(self) -> dict[str, str]:
        env = {
            "WC_URL": f"{self._url}{webchart.PATH}",
            "WC_USER": self._webchart.user,
            "WC_PASS": self._webchart.password,
            "WC_DOCS": f"{self._url}{pages.WEBCHART}",
            "WC_TERMS": f"{self._url}{pages.WEBCHART}/terms",
            "WC_EXPIRED_SID": self._webchart.expired_session(),
            "EYW_BASE": self._url,
            "EYW_DOCS": f"{self._url}{pages.EHRYOURWAY}",
            "EYW_TERMS": f"{self._url}{pages.EHRYOURWAY}/terms",
            "EYW_EXPIRED_TOKEN": self._ehryourway.expired_token(),
            "DOCREF_BASE": f"{self._url}{FHIR}",
            "DOCREF_CLIENT_ID": self._docref.client_id,
            "DOCREF_DOCS": f"{self._url}{pages.DOCREF}",
            "DOCREF_TERMS": f"{self._url}{pages.DOCREF}/terms",
            "DOCREF_EXPIRED_TOKEN": self._docref.expired_token(),
        }
        patient = self._fhir.first_patient()
        env |= {
            "FHIR_BASE": f"{self._secure_url}{FHIR}",
            "FHIR_TOKEN": self._access.standing(Grant(("user/*.rs",))),
            "FHIR_PATIENT": patient,
            "FHIR_PATIENT_TOKEN": self._access.standing(Grant(("patient/*.rs",), patient)),
            "FHIR_DOCS": f"{self._secure_url}{pages.DOCREF}",
            "FHIR_TERMS": f"{self._secure_url}{pages.DOCREF}/terms",
            "FHIR_ENDPOINTS": f"{self._secure_url}{pages.ENDPOINTS}",
            "FHIR_EXPIRED_TOKEN": self._access.expired(Grant(("user/*.rs",))),
        }
        env |= self._smart.variables(self._secure_url)
        for name, issued in zip(("BULK_GROUP", "BULK_OTHER_GROUP"), self._fhir.groups(), strict=False):
            env[name] = issued
        for place, client in enumerate(self._ehryourway.clients.values()):
            env[f"EYW_ID{patientsfile.suffix(place)}"] = client.id
            env[f"EYW_PASS{patientsfile.suffix(place)}"] = client.password
        return env

    def _service(self) -> tuple[str, list[dict[str, Any]]]:
        """Where the FHIR server is, and the Organizations it serves."""
        return self._env["FHIR_BASE"], self._fhir.organizations()

    def _app(self) -> Flask:
        app = Flask("onc_conformance.reference", static_folder=None)
        app.config["MAX_CONTENT_LENGTH"] = _LARGEST_REQUEST
        app.url_map.merge_slashes = False
        self._webchart.register(app)
        self._ehryourway.register(app)
        self._docref.register(app)
        self._smart.register(app)
        self._fhir.register(app)
        self._bulk.register(app)
        pages.Documentation(self._faults, self._settings, self._service).register(app)
        app.wsgi_app = _SingleSlashes(app.wsgi_app)  # type: ignore[method-assign]
        return app


class _SingleSlashes:
    """Repeated slashes in an address count as one, except where WebChart's base64 may hold them."""

    def __init__(self, app: Callable[[dict[str, Any], Any], Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(webchart.PATH):
            environ["PATH_INFO"] = re.sub("/{2,}", "/", path)
        return self._app(environ, start_response)
