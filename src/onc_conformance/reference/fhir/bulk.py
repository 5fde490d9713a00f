"""Bulk Data Access: a group's data exported to files, asynchronously, for backend services."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask import Response, request

from onc_conformance.reference.fhir import groups, misbulk
from onc_conformance.reference.fhir.answers import Refusal, as_json, guarded, host, outcome
from onc_conformance.reference.fhir.server import BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flask import Flask

    from onc_conformance.reference.fhir.access import Access, Grant
    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.fhir.server import FhirServer
    from onc_conformance.reference.settings import Settings

NDJSON = "application/fhir+ndjson"
FORMATS = frozenset({NDJSON, "application/ndjson", "ndjson"})
PARAMETERS = frozenset({"_outputFormat", "_since", "_type"})
KEPT_S = 3600
"""Seconds for which files are there to be fetched."""
REMEMBERED = 200
"""Exports beyond this many are forgotten, the oldest first."""
_LEFT_OUT = frozenset({"Binary", "Group", "Endpoint"})


@dataclass(frozen=True)
class Job:
    """One export, as it was asked for."""

    id: str
    request: str
    """The address asked."""
    began: datetime
    types: frozenset[str]
    files: dict[str, list[Resource]] = field(repr=False)
    """Resources by name of file."""
    ready: float
    """When it is done, on the monotonic clock."""


class BulkData:
    """Exports the patients of a group for whoever has a token with system scopes."""

    def __init__(self, fhir: FhirServer, access: Access, faults: frozenset[str], settings: Settings) -> None:
        self._fhir = fhir
        self._access = access
        self._faults = faults & misbulk.HANDLERS.keys()
        self._settings = settings
        self._jobs: dict[str, Job] = {}
        self._lock = Lock()

    def register(self, app: Flask) -> None:
        for rule, view, methods in (
            ("/Group/<issued>/$export", self.export, ["GET"]),
            ("/Patient/$export", self.everybody, ["GET"]),
            ("/$export", self.system, ["GET"]),
            ("/bulk/<job>", self.status, ["GET"]),
            ("/bulk/<job>", self.delete, ["DELETE"]),
            ("/bulk/<job>/<name>", self.file, ["GET"]),
        ):
            app.add_url_rule(f"{BASE}{rule}", f"bulk {rule} {methods[0]}", view, methods=methods)

    def _has(self, fault: str) -> bool:
        return fault in self._faults

    def _answered(self, answer: Callable[[], Response]) -> Response:
        response = guarded(answer)
        if response.status_code >= 400 and self._has("bulk-error-is-a-page"):
            return Response("<html><body><h1>Error</h1></body></html>", response.status_code, mimetype="text/html")
        return response

    # --- kick-off

    def export(self, issued: str) -> Response:
        """The data of the patients of a group."""
        return self._answered(lambda: self._begun(issued))

    def everybody(self) -> Response:
        """The data of all patients."""
        return self._answered(lambda: self._begun(self._fhir.groups()[0]))

    def system(self) -> Response:
        """Everything there is, which nobody gets."""

        def refused() -> Response:
            self._granted()
            raise Refusal(501, "not-supported", "Export a Group or all Patients; the whole system is not exported.")

        return self._answered(refused)

    def _begun(self, issued: str) -> Response:
        grant = self._granted("bulk-kickoff-open")
        group = self._group(issued)
        asynchronous = "respond-async" in request.headers.get("Prefer", "").replace(" ", "").split(",")
        if not asynchronous and self._has("bulk-answered-at-once"):
            return as_json({"resourceType": "Bundle", "type": "collection", "total": 0})
        if not asynchronous:
            raise Refusal(400, "required", "Send Prefer: respond-async; exports are asynchronous.")
        types, since = self._asked(grant)
        job = self._job(group, types, since)
        if self._has("bulk-kickoff-at-once"):
            return as_json({"resourceType": "Bundle", "type": "collection", "total": 0})
        response = as_json(outcome("informational", "The export has begun.", "information"), 202)
        if not self._has("bulk-no-content-location"):
            response.headers["Content-Location"] = f"{host()}{BASE}/bulk/{job.id}"
        return response

    def _group(self, issued: str) -> Resource:
        if self._has("bulk-group-ignored"):
            issued = self._fhir.groups()[0]
        if self._has("bulk-other-group") and len(self._fhir.groups()) > 1:
            issued = self._fhir.groups()[1]
        found = self._fhir.records.get("Group", issued)
        if found is None and self._has("bulk-unknown-group-exported"):
            found = self._fhir.records.get("Group", self._fhir.groups()[0])
        if found is None:
            raise Refusal(404, "not-found", f"Group/{issued}: there is no such group.")
        return found[0]

    def _granted(self, open_: str = "") -> Grant:
        """What the token allows; Refusal unless it is a backend service's."""
        if self._has(open_) and "Authorization" not in request.headers:
            return misbulk.EVERYTHING
        grant = self._access.granted()
        if not any(scope.startswith("system/") for scope in grant.scopes):
            raise Refusal(403, "forbidden", "Exports are for backend services: the token has no system scope.")
        return grant

    def _asked(self, grant: Grant) -> tuple[frozenset[str], datetime | None]:
        """The types to export and the instant after which they changed."""
        if unknown := sorted(set(request.args) - PARAMETERS):
            raise Refusal(
                400, "not-supported", f"{unknown[0]}: this server exports by {', '.join(sorted(PARAMETERS))}."
            )
        wanted = request.args.get("_outputFormat", NDJSON).replace(" ", "+")
        if wanted not in FORMATS and not self._has("bulk-any-format"):
            raise Refusal(400, "not-supported", f"_outputFormat={wanted}: this server writes {NDJSON}.")
        if wanted != NDJSON and self._has("bulk-short-format-refused"):
            raise Refusal(400, "not-supported", f"_outputFormat={wanted}: this server writes {NDJSON}.")
        since = request.args.get("_since")
        if since is not None and _instant(since) is None:
            raise Refusal(400, "value", f"_since={since}: an instant, as 2026-01-31T12:00:00Z.")
        there = self._fhir.kinds() - _LEFT_OUT
        types = {each for text in request.args.getlist("_type") for each in text.split(",")}
        if unknown := sorted(types - there):
            raise Refusal(400, "not-supported", f"_type={unknown[0]}: this server exports no such type.")
        allowed = there if self._has("bulk-scope-ignored") else {each for each in there if grant.allows(each)}
        if not allowed or not types <= allowed:
            missing = ", ".join(sorted(types - allowed)) or "every type"
            raise Refusal(403, "forbidden", f"{missing}: the token's scopes do not cover it.")
        chosen = types if types and not self._has("bulk-type-ignored") else allowed
        return frozenset(chosen), _instant(since) if since and not self._has("bulk-since-ignored") else None

    # --- what is exported

    def _job(self, group: Resource, types: frozenset[str], since: datetime | None) -> Job:
        patients = [issued for issued in groups.members(group) if self._fhir.records.get("Patient", issued)]
        files: dict[str, list[Resource]] = {}
        size = self._settings.bulk_lines
        for kind, resources in self._resources(patients, types).items():
            changed = [one for one in resources if since is None or _changed_after(one, since)]
            for place in range(0, len(changed), size):
                files[f"{kind}-{place // size + 1}.ndjson"] = changed[place : place + size]
        took = self._settings.bulk_seconds
        job = Job(uuid.uuid4().hex, request.url, datetime.now(UTC), types, files, time.monotonic() + took)
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > REMEMBERED:
                del self._jobs[next(iter(self._jobs))]
        return job

    def _resources(self, patients: Sequence[str], types: frozenset[str]) -> dict[str, list[Resource]]:
        """What is about the patients, and the parts of the directory that it refers to; as it is told to clients."""
        records = self._fhir.records
        found: dict[str, dict[str, Resource]] = {}
        ahead = [one for kind in records.kinds() for one in records.of_patients(kind, patients)]
        while ahead:
            resource = ahead.pop()
            found.setdefault(resource["resourceType"], {})[resource["id"]] = resource
            for reference in _references(resource):
                kind, _, issued = reference.partition("/")
                target = records.get(kind, issued)
                if target and target[1] is None and issued not in found.get(kind, {}):
                    ahead.append(target[0])
        kept = {
            kind: [self._fhir.shown(one) for _, one in sorted(resources.items())]
            for kind, resources in sorted(found.items())
            if kind in types
        }
        return misbulk.exported(kept, self._faults)

    # --- status and deletion

    def status(self, job: str) -> Response:
        """How far the export is, or what there is to be fetched."""
        return self._answered(lambda: self._told(job))

    def _told(self, issued: str) -> Response:
        self._granted("bulk-status-open")
        job = self._known(issued)
        if self._has("bulk-never-ends"):
            return self._in_progress(10, "120")
        if time.monotonic() < job.ready:
            return self._in_progress(50, "1")
        manifest = misbulk.told(self._manifest(job), self._faults)
        kind = "text/html" if self._has("bulk-manifest-as-html") else "application/json"
        response = as_json(manifest, kind=kind)
        if not self._has("bulk-expires-missing"):
            response.headers["Expires"] = format_datetime(job.began + timedelta(seconds=KEPT_S), usegmt=True)
        return response

    @staticmethod
    def _in_progress(share: int, pause: str) -> Response:
        response = as_json(outcome("informational", f"{share} % done.", "information"), 202)
        response.headers["X-Progress"] = f"{share} % done"
        response.headers["Retry-After"] = pause
        return response

    def _manifest(self, job: Job) -> Resource:
        address = f"{host()}{BASE}/bulk/{job.id}"
        manifest: Resource = {
            "transactionTime": job.began.isoformat(timespec="milliseconds"),
            "request": job.request,
            "requiresAccessToken": True,
            "output": [
                {"type": name.partition("-")[0], "url": f"{address}/{name}", "count": len(resources)}
                for name, resources in job.files.items()
            ],
            "error": [],
        }
        if self._settings.bulk_version == "2.0.0":
            manifest["deleted"] = []
        return manifest

    def delete(self, job: str) -> Response:
        """Stop the export, and throw its files away."""
        return self._answered(lambda: self._deleted(job))

    def _deleted(self, issued: str) -> Response:
        self._granted("bulk-status-open")
        self._known(issued)
        if self._has("bulk-deletion-refused"):
            raise Refusal(405, "not-supported", "Exports are not deleted.")
        if not self._has("bulk-deletion-ignored"):
            with self._lock:
                self._jobs.pop(issued, None)
        return as_json(outcome("informational", "The export is deleted.", "information"), 202)

    def _known(self, issued: str) -> Job:
        with self._lock:
            job = self._jobs.get(issued)
        if job is None:
            raise Refusal(404, "not-found", f"{issued}: there is no such export.")
        return job

    # --- files

    def file(self, job: str, name: str) -> Response:
        """One file, a line for each resource."""
        return self._answered(lambda: self._sent(job, name))

    def _sent(self, issued: str, name: str) -> Response:
        grant = self._granted("bulk-files-open")
        job = self._known(issued)
        if name not in job.files:
            raise Refusal(404, "not-found", f"{name}: this export has no such file.")
        if not grant.allows(name.partition("-")[0]) and not self._has("bulk-scope-ignored"):
            raise Refusal(403, "forbidden", f"{name}: the token's scopes do not cover this type.")
        if self._has("bulk-file-gone") and name == next(iter(job.files)):
            raise Refusal(500, "exception", "The file could not be read.")
        lines = [json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in job.files[name]]
        body = misbulk.sent(b"".join(lines), name, self._faults)
        return Response(body, content_type="text/plain" if self._has("bulk-file-as-text") else NDJSON)


def _instant(text: str) -> datetime | None:
    """A point in time with its zone; None if it is none."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _changed_after(resource: Resource, since: datetime) -> bool:
    changed = _instant(str(resource.get("meta", {}).get("lastUpdated", "")))
    return changed is None or changed > since


def _references(value: Any) -> Iterator[str]:
    """Every literal reference in a resource."""
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for each in value.values():
            yield from _references(each)
