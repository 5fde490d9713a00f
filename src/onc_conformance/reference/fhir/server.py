"""The FHIR server's endpoints: metadata, read, and search by GET and POST, with pages and what is to be included."""

from __future__ import annotations

import base64
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Response, request
from werkzeug.exceptions import HTTPException

from onc_conformance.reference.fhir import groups, search, statement
from onc_conformance.reference.fhir.answers import FHIR, Refusal, as_json, guarded, host, outcome
from onc_conformance.reference.fhir.catalog import INCLUDED, Kind, kind_of, kinds, references
from onc_conformance.reference.fhir.faults import Bent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from flask import Flask

    from onc_conformance.reference.fhir.access import Access, Grant
    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.fhir.records import Owned, Records
    from onc_conformance.reference.fhir.search import Query
    from onc_conformance.reference.selection import Selection

BASE = "/fhir"
_FORM = "application/x-www-form-urlencoded"
_JSON = ("", "json", "application/json", "application/fhir+json", "text/json")
_ABOUT_NOBODY = {"Practitioner", "PractitionerRole", "Organization", "Location", "Endpoint"}


class FhirServer:
    """Reads and searches records, for whoever has a token; they are made when they are first asked for."""

    def __init__(
        self,
        made: Callable[[], Records],
        access: Access,
        faults: frozenset[str],
        version: str,
        selection: Selection | None = None,
    ) -> None:
        self._made = made
        self._access = access
        self._version = version
        self._selection = selection
        self._bent = Bent(faults)
        self._kept: Records | None = None
        self._lock = Lock()

    @property
    def records(self) -> Records:
        with self._lock:
            if self._kept is None:
                self._kept = self._made()
            return self._kept

    @property
    def charted(self) -> bool:
        """Whether its resources are written from charts."""
        return self._selection is not None

    def kinds(self) -> frozenset[str]:
        """The types there are in the version it follows, and of given resources those there are besides."""
        return frozenset((*kinds(self._version), *self.records.kinds()))

    def first_patient(self) -> str:
        """The id of the first Patient."""
        if self._selection:
            return self._selection.first
        return str(self.records.of_type("Patient")[0]["id"])

    def organizations(self) -> list[Resource]:
        """Every Organization."""
        return [dict(each) for each in self.records.of_type("Organization")]

    def groups(self) -> list[str]:
        """The ids of the Groups, the one of everybody first."""
        return groups.ids() if self._selection else [str(one["id"]) for one in self.records.of_type("Group")]

    def register(self, app: Flask) -> None:
        for rule, view, methods in (
            ("/metadata", self.metadata, ["GET"]),
            ("/<kind>", self.search, ["GET"]),
            ("/<kind>/_search", self.search, ["POST"]),
            ("/<kind>/<issued>", self.read, ["GET"]),
        ):
            app.add_url_rule(f"{BASE}{rule}", f"fhir {rule}", view, methods=methods)
        app.register_error_handler(HTTPException, _told)

    # --- answers

    def metadata(self) -> Response:
        """The CapabilityStatement, which needs no token."""
        return self._answered(lambda: as_json(self._statement()))

    def _answered(self, answer: Callable[[], Response]) -> Response:
        return self._bent.sent(guarded(answer))

    def _statement(self) -> Resource:
        _acceptable()
        base, issuer = host() + BASE, f"{host()}/auth"
        written = statement.written(base, issuer, self.records, self._version, charted=self.charted)
        return self._bent.stated(written if self._bent.has("bulk-capability-missing") else statement.exporting(written))

    def read(self, kind: str, issued: str) -> Response:
        """One resource by its id."""
        return self._answered(lambda: as_json(self._read(kind, issued)))

    def _read(self, name: str, issued: str) -> Resource:
        kind, grant = self._allowed(name, "r")
        _acceptable()
        if name == "Patient" and self._selection:
            issued = self._selection.meant(issued)
        resource = self._one(kind.name, self._bent.id_read(kind.name, issued, self.records), grant)
        return self.shown(resource)

    def _one(self, kind: str, issued: str, grant: Grant) -> Resource:
        found = self.records.get(kind, issued)
        if found is None:
            raise Refusal(404, "not-found", f"{kind}/{issued}: there is no such resource.")
        if not self._may_see(found, grant, "r"):
            raise Refusal(403, "forbidden", f"{kind}/{issued}: the token's scopes do not cover this resource.")
        return found[0]

    def file(self, issued: str) -> Response:
        """A Binary: as it is, or as a resource for whoever accepts FHIR's JSON. The caller has seen to the token."""
        resource = self._one("Binary", issued, self._access.granted())
        if "json" in request.headers.get("Accept", ""):
            return as_json(self._shown(resource))
        return Response(base64.b64decode(resource["data"]), content_type=resource["contentType"])

    def search(self, kind: str) -> Response:
        """A page of the matches."""
        return self._answered(lambda: self._searched(kind))

    def _searched(self, name: str) -> Response:
        kind, grant = self._allowed(name, "s")
        selection = self._selection if name == "Patient" else None
        if selection and (page := selection.page()):
            return page
        _acceptable()
        if not kind.searchable:
            raise Refusal(400, "not-supported", f"{name} cannot be searched, only read.")
        try:
            query = self._asked(kind, grant)
        except Refusal as refusal:
            if (bundle := self._bent.instead_of(refusal)) is None:
                raise
            return as_json(bundle)
        if selection and (error := selection.error()):
            return error
        return as_json(self._bent.bundled(self._page(query, self._matches(query, grant), grant), query))

    # --- what is asked

    def _allowed(self, name: str, right: str) -> tuple[Kind, Grant]:
        grant = self._access.granted()
        if name not in self.kinds():
            raise Refusal(404, "not-supported", f"{name}: this server has no such type.")
        if not grant.allows(name, right):
            raise Refusal(403, "forbidden", f"{name}: the token's scopes do not cover this type.")
        return kind_of(name, self._version), grant

    def _asked(self, kind: Kind, grant: Grant) -> Query:
        bound = grant.bound(kind.name)
        strict = "handling=strict" in request.headers.get("Prefer", "").replace(" ", "")
        query = self._bent.asked(search.read(kind, self._pairs(), strict=strict))
        unknown = [issued for issued in query.patients() if self.records.get("Patient", issued) is None]
        if kind.of_patients and not query.of("patient") and not query.of("_id") and bound is None:
            raise Refusal(400, "required", f"Search {kind.name} by patient or _id.")
        if kind.name == "Patient" and not query.clauses:
            told = ", ".join(kind.parameters)
            raise Refusal(400, "required", f"Search Patient by one or more of {told}.")
        if unknown and not self._bent.has("fhir-unknown-patient-answered"):
            raise Refusal(404, "not-found", f"patient={unknown[0]}: there is no such patient.")
        if bound and any(issued != bound for issued in query.patients()):
            raise Refusal(403, "forbidden", "The token is good for another patient's data.")
        return query

    def _pairs(self) -> list[tuple[str, str]]:
        pairs = list(request.args.items(multi=True))
        if request.method == "POST":
            if request.mimetype not in {_FORM, ""}:
                raise Refusal(415, "not-supported", f"A search is posted as {_FORM}.")
            pairs += [] if self._bent.has("fhir-post-body-ignored") else list(request.form.items(multi=True))
        return pairs

    # --- what is found

    def _matches(self, query: Query, grant: Grant) -> list[Resource]:
        kind = query.kind.name
        asked = self._bent.patients(query.patients(), self.records)
        bound = grant.bound(kind)
        about_patient = bound and kind not in _ABOUT_NOBODY
        if query.kind.of_patients and asked:
            among: Iterable[Resource] = self.records.of_patients(kind, asked)
        elif about_patient:
            among = self.records.of_patients(kind, [str(bound)])
        else:
            among = self.records.of_type(kind)
        base = host() + BASE
        bare = query.without("patient") if query.kind.of_patients else query
        found = [resource for resource in among if bare.fits(resource, base)]
        found = self._in_scope(kind, found, grant)
        found = self._bent.found(found, query, self.records)
        if kind == "Patient" and self._selection:
            found = self._selection.found([self._shown(resource) for resource in found])
        return found

    def _page(self, query: Query, found: Sequence[Resource], grant: Grant) -> Resource:
        kind = query.kind.name
        size = query.count
        first = (query.page - 1) * size
        pages = max(1, -(-len(found) // size)) if size else 1
        if query.page > pages:
            raise Refusal(400, "value", f"_page={query.page}: there are {pages} pages.")
        shown = found[first : first + size]
        entries = [_entry(one if kind == "Patient" and self._selection else self._shown(one), "match") for one in shown]
        entries += [_entry(self._shown(one), "include") for one in self._included(query, shown, grant)]
        address = f"{host()}{BASE}/{kind}"
        links = [{"relation": "self", "url": _address(address, query, query.page)}]
        for relation, page, there in (
            ("first", 1, pages > 1),
            ("previous", query.page - 1, query.page > 1),
            ("next", query.page + 1, query.page < pages),
        ):
            if there:
                links.append({"relation": relation, "url": _address(address, query, page)})
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
        return bundle | ({"entry": entries} if entries else {})

    def _included(self, query: Query, shown: Iterable[Resource], grant: Grant) -> list[Resource]:
        made: dict[tuple[str, str], Resource] = {}
        own = {(one["resourceType"], one.get("id", "")) for one in shown}
        for resource in shown:
            for asked in query.include:
                name, _, kind = asked.partition(":")[2].partition(":")
                for reference in references(resource, INCLUDED[f"{query.kind.name}:{name}"]):
                    found = self.records.get(*_place(reference))
                    if found and kind in {"", found[0]["resourceType"]} and self._may_see(found, grant, ""):
                        made.setdefault(_key(found[0]), found[0])
            if query.revinclude and grant.allows("Provenance"):
                for each in self.records.about(f"{resource['resourceType']}/{resource.get('id', '')}"):
                    made.setdefault(_key(each), each)
        included = [resource for place, resource in made.items() if place not in own]
        return self._bent.included(included)

    def _may_see(self, found: Owned, grant: Grant, right: str) -> bool:
        resource, owner = found
        return grant.sees(resource, owner, right)

    def _in_scope(self, kind: str, found: list[Resource], grant: Grant) -> list[Resource]:
        """Those of the matches that the token's scopes cover."""
        if grant.open(kind, "s"):
            return found
        return [one for one in found if self._may_see(self.records.get(kind, one["id"]) or (one, None), grant, "s")]

    # --- what is sent

    def shown(self, resource: Resource) -> Resource:
        """A resource as clients are told it."""
        if resource["resourceType"] == "Patient" and self._selection:
            return self._selection.shown(self._shown(resource))
        return self._shown(resource)

    def _shown(self, resource: Resource) -> Resource:
        """As it is told to a client: a given resource as it is; in others, files have whole addresses."""
        shown = self._bent.shown(resource)
        if self._selection is None:
            return shown
        if shown["resourceType"] == "DocumentReference":
            content = [{**one, "attachment": _absolute(one.get("attachment", {}))} for one in shown.get("content", ())]
            return {**shown, "content": content} if content else shown
        if shown["resourceType"] == "DiagnosticReport" and "presentedForm" in shown:
            return {**shown, "presentedForm": [_absolute(one) for one in shown["presentedForm"]]}
        return shown


def _told(error: HTTPException) -> Response | HTTPException:
    """An OperationOutcome for what Flask refuses below the base; elsewhere its own page."""
    if not request.path.startswith(f"{BASE}/"):
        return error
    code = "not-supported" if error.code == 405 else "not-found"
    return as_json(outcome(code, f"{request.method} {request.path}: {error.name}."), error.code or 500)


def _acceptable() -> None:
    """Refusal, if the client wants anything but JSON."""
    told = request.values.get("_format", "").replace(" ", "+")
    accepts = [part.partition(";")[0].strip() for part in request.headers.get("Accept", "").split(",")]
    good = told.partition(";")[0] in _JSON if told else any(one in {*_JSON, "*/*", "application/*"} for one in accepts)
    if not good:
        raise Refusal(406, "not-supported", f"{told or request.headers['Accept']}: this server writes {FHIR}.")


def _entry(resource: Resource, mode: str) -> Resource:
    entry: Resource = {"resource": resource}
    if "id" in resource:
        entry = {"fullUrl": f"{host()}{BASE}/{resource['resourceType']}/{resource['id']}"} | entry
    return entry | {"search": {"mode": mode}}


def _address(address: str, query: Query, page: int) -> str:
    pairs = [*query.used, *([("_page", str(page))] if page > 1 else [])]
    return f"{address}?{urlencode(pairs)}" if pairs else address


def _absolute(attachment: Resource) -> Resource:
    url = str(attachment.get("url", ""))
    return {**attachment, "url": f"{host()}{BASE}/{url}"} if url.startswith("Binary/") else attachment


def _place(reference: str) -> tuple[str, str]:
    kind, _, issued = reference.partition("/")
    return kind, issued


def _key(resource: Resource) -> tuple[str, str]:
    return resource["resourceType"], resource["id"]
