"""What the FHIR server can be told to do wrong: each id names one small change at one place of an answer's making."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir import misagreed, misasked, misbulk, misfound, missent, misshown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flask import Response

    from onc_conformance.reference.fhir.answers import Refusal
    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.fhir.records import Records
    from onc_conformance.reference.fhir.search import Query

FLAGS = frozenset({
    "fhir-post-body-ignored",
    "fhir-unknown-patient-answered",
    "fhir-empty-for-bad-parameter",
})  # fmt: skip
"""Faults the server looks for itself."""
HANDLERS: dict[str, Callable[..., Any] | None] = {
    **misasked.ASKED,
    **misfound.PATIENTS,
    **misfound.FOUND,
    **misfound.READ,
    **misfound.INCLUDED,
    **misshown.SHOWN,
    **misagreed.FOUND,
    **misagreed.SHOWN,
    **missent.BUNDLED,
    **missent.SENT,
    **missent.REFUSED,
    **missent.STATED,
    **misbulk.HANDLERS,
    **dict.fromkeys(sorted(FLAGS)),
}
"""Every id, with what makes its change; None where that is the server itself."""


class Bent:
    """The truth at each place, as the faults leave it."""

    def __init__(self, faults: Collection[str]) -> None:
        self._faults = frozenset(faults) & HANDLERS.keys()

    def has(self, fault: str) -> bool:
        return fault in self._faults

    def _through(self, table: dict[str, Callable[..., Any]], value: Any, *more: Any) -> Any:
        for fault, change in table.items():
            if fault in self._faults:
                value = change(value, *more)
        return value

    def asked(self, query: Query) -> Query:
        """What is searched for."""
        changed: Query = self._through(misasked.ASKED, query)
        return changed

    def instead_of(self, refusal: Refusal) -> Resource | None:
        """The bundle that is answered in place of a refusal."""
        if refusal.status == 400 and self.has("fhir-empty-for-bad-parameter"):
            return {"resourceType": "Bundle", "type": "searchset", "total": 0}
        return None

    def patients(self, issued: list[str], records: Records) -> list[str]:
        """Whose data are searched."""
        changed: list[str] = self._through(misfound.PATIENTS, issued, records)
        if self.has("fhir-unknown-patient-answered"):
            known = [each for each in changed if records.get("Patient", each)]
            return known or [one["id"] for one in records.of_type("Patient")[:1]] if changed else []
        return changed

    def found(self, found: list[Resource], query: Query, records: Records) -> list[Resource]:
        """The matches."""
        changed: list[Resource] = self._through(misfound.FOUND | misagreed.FOUND, found, query, records)
        return changed

    def id_read(self, kind: str, issued: str, records: Records) -> str:
        """Which resource is read."""
        changed: str = self._through(misfound.READ, issued, kind, records)
        return changed

    def included(self, resources: list[Resource]) -> list[Resource]:
        """What comes along with the matches."""
        changed: list[Resource] = self._through(misfound.INCLUDED, resources)
        return changed

    def shown(self, resource: Resource) -> Resource:
        """A resource as it is told."""
        changed: Resource = self._through(misshown.SHOWN | misagreed.SHOWN, resource)
        return changed

    def bundled(self, bundle: Resource, query: Query) -> Resource:
        """A page."""
        changed: Resource = self._through(missent.BUNDLED, bundle, query)
        return changed

    def stated(self, statement: Resource) -> Resource:
        """The CapabilityStatement."""
        changed: Resource = self._through(missent.STATED, statement)
        return changed

    def sent(self, response: Response) -> Response:
        """An answer on its way."""
        table = missent.SENT if response.status_code < 400 else missent.REFUSED
        changed: Response = self._through(table, response)
        return changed
