"""Who and where care is given: practitioners, organizations and locations that charts name, as resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir.parts import IDENTIFIERS, SNOMED, TERMS, coded, coding, concept, profile
from onc_conformance.reference.people import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onc_conformance.reference.charts import Chart, Fact
    from onc_conformance.reference.fhir.parts import Resource

PRACTICE = "Cedar Hollow Family Health"
LABORATORY = "Willamette Reference Laboratory"
PHARMACY = "Juniper Street Pharmacy"
DOCTOR = "Imogen Castellane"
_NPI = "http://hl7.org/fhir/sid/us-npi"
_NUCC = "http://nucc.org/provider-taxonomy"
_PHYSICIAN = concept(SNOMED, "59058001", "General physician")
_GENERALIST = ("208D00000X", "General Practice Physician")
_TRADES = {
    "17561000": ("207R00000X", "Internal Medicine Physician"),
    "46255001": ("183500000X", "Pharmacist"),
    "82296001": ("208000000X", "Pediatrics Physician"),
}
"""What the taxonomy of providers calls the roles of SNOMED CT in the charts."""
_STARTED = "2006-01-02T12:00:00Z"
_KINDS = {
    LABORATORY: ("other", "Other"),
    PHARMACY: ("prov", "Healthcare Provider"),
}


class Directory:
    """The same person or place is one resource, whichever chart names it."""

    def __init__(self, charts: Iterable[Chart]) -> None:
        self._people: dict[str, Resource] = {DOCTOR: _PHYSICIAN}
        self._places = {PRACTICE: None}
        self._organizations = dict.fromkeys((PRACTICE, LABORATORY, PHARMACY))
        for chart in charts:
            for fact in chart.facts:
                self._note(fact)

    def _note(self, fact: Fact) -> None:
        if fact.kind == "care_team" and member_name(fact):
            role = fact.code("role")
            self._people[member_name(fact)] = coded(role) if role else _PHYSICIAN
        if fact.kind == "notes" and fact.text("author"):
            self._people.setdefault(fact.text("author"), _PHYSICIAN)
        if fact.kind == "encounters" and _place(fact):
            self._places.setdefault(_place(fact))
            self._organizations.setdefault(_place(fact))
        if fact.kind == "coverage" and fact.text("payer"):
            self._organizations.setdefault(fact.text("payer"))

    # --- references

    @staticmethod
    def doctor() -> str:
        """Type/id of the practitioner whom every chart knows."""
        return f"Practitioner/{_id('Practitioner', DOCTOR)}"

    def practitioner(self, name: str) -> Resource:
        return _reference("Practitioner", name)

    def role(self, name: str) -> Resource:
        return _reference("PractitionerRole", name)

    def organization(self, name: str = PRACTICE) -> Resource:
        return _reference("Organization", name)

    def location(self, name: str = PRACTICE) -> Resource:
        return _reference("Location", name)

    def member(self, fact: Fact) -> str:
        """The member of a care team a fact names."""
        return member_name(fact) or DOCTOR

    def author(self, chart: Chart, fact: Fact) -> str:
        """Who wrote the fact down: its author, or the first of the patient's care team."""
        team = (member_name(one) for one in chart.of("care_team"))
        return fact.text("author") or next((name for name in team if name), DOCTOR)

    # --- resources

    def resources(self) -> list[Resource]:
        """Everyone and every place."""
        return [
            *(self._practitioner(name) for name in self._people),
            *(self._role(name, code) for name, code in self._people.items()),
            *(self._organization(name) for name in self._organizations),
            *(self._location(name) for name in self._places),
        ]

    def _practitioner(self, name: str) -> Resource:
        given, _, family = name.rpartition(" ")
        return _resource(
            "Practitioner",
            name,
            "us-core-practitioner",
            identifier=[{"use": "official", "system": _NPI, "value": npi(name)}],
            active=True,
            name=[{"use": "official", "family": family, "given": given.split()}],
            telecom=_telecom(name, family.casefold()),
            address=[_address(name)],
        )

    def _role(self, name: str, code: Resource) -> Resource:
        codings = code.get("coding", [])
        trade = next((_TRADES[one["code"]] for one in codings if one["code"] in _TRADES), _GENERALIST)
        return _resource(
            "PractitionerRole",
            name,
            "us-core-practitionerrole",
            active=True,
            practitioner=self.practitioner(name),
            organization=self.organization(),
            code=[code | {"coding": [*codings, coding(_NUCC, *trade)]}],
            specialty=[concept(_NUCC, *trade)],
            location=[self.location()],
            telecom=_telecom(name, "frontdesk"),
            endpoint=[_reference("Endpoint", PRACTICE)],
        )

    def _organization(self, name: str) -> Resource:
        code, display = _KINDS.get(name, ("prov", "Healthcare Provider"))
        return _resource(
            "Organization",
            name,
            "us-core-organization",
            identifier=[{"use": "official", "system": _NPI, "value": npi(f"organization {name}")}],
            active=True,
            type=[concept(f"{TERMS}/organization-type", code, display)],
            name=name,
            telecom=_telecom(name, "office"),
            address=[_address(name)],
        )

    def _location(self, name: str) -> Resource:
        return _resource(
            "Location",
            name,
            "us-core-location",
            identifier=[{"system": f"{IDENTIFIERS}:location", "value": number("location", name, 6)}],
            status="active",
            name=name,
            type=[concept(f"{TERMS}/v3-RoleCode", "OF", "Outpatient facility")],
            telecom=_telecom(name, "reception"),
            address=_address(name),
            physicalType=concept(f"{TERMS}/location-physical-type", "bu", "Building"),
            managingOrganization=self.organization(name),
        )

    def endpoint(self, base: str) -> Resource:
        """Where this server itself is: what the practice's roles are reached by."""
        return _resource(
            "Endpoint",
            PRACTICE,
            "",
            status="active",
            connectionType={
                "system": f"{TERMS}/endpoint-connection-type",
                "code": "hl7-fhir-rest",
                "display": "HL7 FHIR",
            },
            payloadType=[{"text": "FHIR R4 resources"}],
            address=base,
        )


def member_name(fact: Fact) -> str:
    """The member of a care team, given names first; nothing where none is named."""
    member = fact.values.get("member")
    if not isinstance(member, dict):
        return ""
    return " ".join((*member.get("given", ()), str(member.get("family", "")))).strip()


def npi(key: str) -> str:
    """A National Provider Identifier that nobody has, with the check digit it needs."""
    digits = "1" + number("npi", key, 8)
    total = 24  # what the prefix 80840 of health cards adds
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled // 10 + doubled % 10
    return digits + str(-total % 10)


def _place(fact: Fact) -> str:
    return str(fact.code("location") or fact.text("location"))


def _reference(kind: str, name: str) -> Resource:
    return {"reference": f"{kind}/{_id(kind, name)}", "display": name}


def _id(kind: str, name: str) -> str:
    return number(f"fhir {kind}", name, 12)


def _resource(kind: str, key: str, profiled: str, /, **elements: Any) -> Resource:
    meta: Resource = {"lastUpdated": _STARTED} | ({"profile": [profile(profiled)]} if profiled else {})
    return {"resourceType": kind, "id": _id(kind, key), "meta": meta} | elements


def _telecom(name: str, mailbox: str) -> list[Resource]:
    number_of = f"+1-555-555-{number('telephone', name, 4)}"
    return [
        {"system": "phone", "value": number_of, "use": "work"},
        {"system": "email", "value": f"{mailbox}@{name.rsplit(maxsplit=1)[-1].casefold()}.example.org", "use": "work"},
    ]


def _address(name: str) -> Resource:
    house = number("house", name, 3)
    return {
        "use": "work",
        "line": [f"{house} Cedar Hollow Road"],
        "city": "Beaverton",
        "state": "OR",
        "postalCode": "97006",
        "country": "US",
    }
