"""What a FHIR Patient says of the person, item by item, against the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from onc_conformance import moments
from onc_conformance.ccda.identity import BIRTH_SEX, SEX, Address, Person, Telecom, sex_of
from onc_conformance.fhir import facts
from onc_conformance.findings import Severity
from onc_conformance.judging import demographics
from onc_conformance.judging.demographics import Complaint
from onc_conformance.record import Code, Name, Record

_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_OBSERVED = {SEX: "sex", BIRTH_SEX: "birthsex"}
"""The extension of a Patient that says what an observation with this code says."""
_GENDERS = {"other": "undifferentiated"}
_OTHERWISE = {"birth_date", "date of death"}
_ITEMS = {name: judge for name, judge in (demographics.ITEMS | demographics.BESIDE).items() if name not in _OTHERWISE}
"""What is compared as in a header. One born on another day is somebody else; a death need have no day."""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing in which a Patient is not as the record has it."""

    item: str
    complaint: Complaint
    path: str
    """FHIRPath within the Patient; empty for the Patient as a whole."""

    @property
    def absent(self) -> bool:
        """Whether it says nothing there."""
        return self.complaint.found == "none"


def complaints(resource: Mapping[str, Any], record: Record) -> Iterator[Told]:
    """Everything in which a Patient is not as the record has it."""
    person = told(resource)
    if not person.ethnicity and record.ethnicity and record.ethnicity.code in demographics.FLAVORS:
        record = replace(record, ethnicity=None)  # FHIR leaves out what nobody knows
    if not person.race and {code.code for code in record.race} <= demographics.FLAVORS:
        record = replace(record, race=())
    for item, judge in _ITEMS.items():
        for each in judge(person, record):
            one = Told(item.replace("_", " "), each, str(each.element or ""))
            if not (each.found == "old" and one.path in _ended(resource)):
                yield one
    wanted, died = moments.iso(record.death_date or ""), moments.iso(str(resource.get("deceasedDateTime", "")))
    if wanted and not (died and wanted.overlaps(died)):
        dead = resource.get("deceasedBoolean") is True
        found = str(died or ("no day" if dead else "none"))
        severity = Severity.WARNING if dead else Severity.ERROR
        yield Told("date of death", Complaint(severity, "differs", str(wanted), found), "deceased")


def _ended(resource: Mapping[str, Any]) -> set[str]:
    """The addresses that have an end, so that FHIR calls them old, whatever they were used for."""
    addresses = enumerate(_tables(resource.get("address")))
    return {
        f"address[{number}]" for number, each in addresses if isinstance(p := each.get("period"), dict) and p.get("end")
    }


@dataclass(frozen=True, slots=True)
class _Patient(Person):
    resource: Mapping[str, Any] = field(default_factory=dict)

    def observed(self, loinc: str) -> Iterator[tuple[str, str]]:
        for each in _extensions(self.resource, _OBSERVED[loinc]):
            coding = each.get("valueCoding")
            code = coding.get("code") if isinstance(coding, dict) else each.get("valueCode")
            if isinstance(code, str):
                yield "extension", sex_of(code)


def told(resource: Mapping[str, Any]) -> Person:
    """A Patient in the words by which a document's is judged; where an element stands is a FHIRPath."""
    gender = resource.get("gender")
    spoken = sorted(_tables(resource.get("communication")), key=lambda each: each.get("preferred") is not True)
    return _Patient(
        element="",
        names=tuple(_name(each) for each in _tables(resource.get("name"))),
        birth=moments.iso(str(resource.get("birthDate", ""))),
        sex=_GENDERS.get(gender, gender) if isinstance(gender, str) else None,
        race=tuple(_cultures(resource, "race")),
        ethnicity=tuple(_cultures(resource, "ethnicity")),
        languages=tuple(str(code.get("code")) for each in spoken for code in _codings(each.get("language"))),
        marital_status=tuple(map(_code, _codings(resource.get("maritalStatus")))),
        addresses=tuple(_address(n, each) for n, each in enumerate(_tables(resource.get("address")))),
        telecoms=tuple(
            Telecom("telecom", each["system"], each["use"], str(each["value"]).removeprefix("tel:"))
            for each in facts.telecoms(_tables(resource.get("telecom")))
        ),
        resource=resource,
    )


def _name(said: Mapping[str, Any]) -> Name:
    parts = facts.name(said)
    return Name(str(said.get("family") or ""), tuple(parts["given"]), parts.get("prefix", ""), parts.get("suffix", ""))


def _address(number: int, said: Mapping[str, Any]) -> Address:
    lines, period = said.get("line"), said.get("period")
    period = period if isinstance(period, dict) else {}
    return Address(
        element=f"address[{number}]",
        use=str(said.get("use") or ""),
        line=tuple(map(str, lines)) if isinstance(lines, list) else (),
        city=str(said.get("city") or ""),
        state=str(said.get("state") or ""),
        postal_code=str(said.get("postalCode") or ""),
        country=str(said.get("country") or ""),
        start=moments.iso(str(period.get("start", ""))),
        end=moments.iso(str(period.get("end", ""))),
    )


def _cultures(resource: Mapping[str, Any], name: str) -> Iterator[Code]:
    for extension in _extensions(resource, name):
        for part in _tables(extension.get("extension")):
            if isinstance(coding := part.get("valueCoding"), dict) and coding.get("code"):
                yield _code(coding)


def _extensions(resource: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in _tables(resource.get("extension")) if each.get("url") == _CORE + name]


def _codings(concept: Any) -> list[dict[str, Any]]:
    return _tables(concept.get("coding")) if isinstance(concept, dict) else []


def _code(coding: Mapping[str, Any]) -> Code:
    known = facts.code(coding)
    system = known["system"] if known else "nullflavor"
    return Code(system, str(coding.get("code")), str(coding.get("display") or ""))


def _tables(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
