"""Whose document it is, and what its header says about that person."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from onc_conformance import moments, suite
from onc_conformance.ccda.tree import Element, child, codes, span, words
from onc_conformance.ccda.tree import name as local
from onc_conformance.record import Code, Name, Record, letters
from onc_conformance.record.contacts import Postal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onc_conformance.moments import Days


_CALLED = "CL"
"""Qualifier of what somebody is called instead of a given name (HL7 EntityNamePartQualifier)."""
SEX, BIRTH_SEX = "46098-0", "76689-9"
"""LOINC codes of the observations of a patient's sex, now and at birth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Postal):
    """A postal address as written, and from when to when it held."""

    element: Any
    """Where it stands: its element, or its FHIRPath in a resource."""
    start: Days | None = None
    end: Days | None = None


@dataclass(frozen=True, slots=True)
class Telecom:
    """A telephone number or an e-mail address as written."""

    element: Any
    """Where it stands, as for an address."""
    system: str
    """`phone` or `email`."""
    use: str
    """In the words of a record, or as written."""
    value: str
    """Without its scheme."""


@dataclass(frozen=True, slots=True)
class Person:
    """A record target, or whom a resource is about."""

    element: Any
    """Its `patientRole`; a FHIRPath, empty for the resource as a whole."""
    names: tuple[Name, ...]
    birth: Days | None
    sex: str | None
    """In the words of a record, or the code as written if it is none that is known."""
    race: tuple[Code, ...]
    """With detailed races; a null flavor is a code of the system `nullflavor`."""
    ethnicity: tuple[Code, ...]
    languages: tuple[str, ...]
    """As written, those marked preferred first."""
    preferred_languages: tuple[str, ...] | None = None
    """Those marked preferred; None where nothing is said of preference."""
    marital_status: tuple[Code, ...] = ()
    addresses: tuple[Address, ...] = ()
    telecoms: tuple[Telecom, ...] = ()
    death: Days | None = None
    _answers: dict[str, list[Element]] = field(default_factory=dict, compare=False, repr=False)
    """Observations of the patient's sex by their code, once they were looked for."""

    def observed(self, loinc: str) -> Iterator[tuple[Any, str]]:
        """What observations with this code say, in the words of a record for a sex, and where."""
        if not self._answers:
            self._answers.update({SEX: [], BIRTH_SEX: []})
            for code in self.element.getroottree().getroot().iter("{urn:hl7-org:v3}code"):
                if code.get("code") in self._answers and (value := child(code.getparent(), "value")) is not None:
                    self._answers[code.get("code")].append(value)
        for value in self._answers[loinc]:
            if told := value.get("code") or value.get("nullFlavor"):
                yield value, sex_of(told)


def sex_of(code: str) -> str:
    """A sex in the words of a record; the code itself where it is none that is known."""
    return str(facts_of_documents()["sexes"].get(code, code))


@cache
def facts_of_documents() -> dict[str, Any]:
    """schemas/ccda/documents.toml."""
    return tomllib.loads((suite.schemas() / "ccda" / "documents.toml").read_text(encoding="utf-8"))


def people(root: Element) -> list[Person]:
    """Every record target, wherever it stands; a bare `patientRole` counts."""
    return [_read(role) for role in root.iter("{*}patientRole")]


def _read(role: Element) -> Person:
    patient = child(role, "patient")
    addresses = tuple(address(each) for each in role.iterchildren("{*}addr") if each.get("nullFlavor") is None)
    telecoms = tuple(_telecom(each) for each in role.iterchildren("{*}telecom") if each.get("value"))
    if patient is None:
        return Person(role, (), None, None, (), (), (), addresses=addresses, telecoms=telecoms)
    birth, marital = child(patient, "birthTime"), child(patient, "maritalStatusCode")
    died, languages = child(patient, "deceasedTime"), _languages(patient)
    marked = next(patient.iterfind("{*}languageCommunication/{*}preferenceInd"), None) is not None
    return Person(
        element=role,
        names=tuple(name for each in patient.iterchildren("{*}name") if (name := read_name(each))),
        birth=moments.hl7(birth.get("value") or "") if birth is not None else None,
        sex=_sex(child(patient, "administrativeGenderCode")),
        race=tuple(code for each in patient.iterchildren("{*}raceCode") for code in _coded(each)),
        ethnicity=tuple(code for each in patient.iterchildren("{*}ethnicGroupCode") for code in _coded(each)),
        languages=tuple(code for _, code in languages),
        preferred_languages=tuple(code for last, code in languages if not last) if marked else None,
        marital_status=tuple(codes(marital)) if marital is not None else (),
        addresses=addresses,
        telecoms=telecoms,
        death=moments.hl7(died.get("value") or "") if died is not None else None,
    )


def address(element: Element) -> Address:
    """An address in its parts, and the days it holds."""
    parts: dict[str, list[str]] = {}
    for part in element.iterchildren("{*}*"):
        if text := words(part):
            parts.setdefault(local(part), []).append(text)
    period = next(
        (each for tag in ("useablePeriod", "usablePeriod") for each in element.iterchildren("{*}" + tag)), None
    )
    start, end, _ = span(period) if period is not None else (None, None, None)
    return Address(
        element=element,
        use=use_of(element, "address_uses"),
        line=tuple(parts.get("streetAddressLine", ())),
        city=" ".join(parts.get("city", ())),
        state=" ".join(parts.get("state", ())),
        postal_code=" ".join(parts.get("postalCode", ())),
        country=" ".join(parts.get("country", ())),
        start=start,
        end=end,
    )


def _telecom(element: Element) -> Telecom:
    scheme, colon, rest = str(element.get("value")).partition(":")
    return Telecom(
        element=element,
        system="email" if scheme.lower() == "mailto" or "@" in rest + scheme else "phone",
        use=use_of(element),
        value=rest if colon else scheme,
    )


def use_of(element: Element, uses: str = "telecom_uses") -> str:
    """What the first of its uses that is known is called, or they as written."""
    known, written = facts_of_documents()[uses], element.get("use") or ""
    return next((str(known[each]) for each in written.split() if each in known), written)


def read_name(element: Element) -> Name | None:
    """A name in its parts, or None where nothing of it is given. A bare text is taken for given names and family."""
    family = " ".join(" ".join(part.itertext()).strip() for part in element.iterchildren("{*}family")).strip()
    parts = list(element.iterchildren("{*}given"))
    proper = [part for part in parts if part.get("qualifier") != _CALLED] or parts
    given = tuple(text for part in proper if (text := " ".join(" ".join(part.itertext()).split())))
    if not family and not given:
        words = " ".join(element.itertext()).split()
        return Name(words[-1], tuple(words[:-1])) if len(words) > 1 else None
    first = (" ".join(" ".join(part.itertext()).split()) for part in element.iterchildren("{*}prefix"))
    last = (" ".join(" ".join(part.itertext()).split()) for part in element.iterchildren("{*}suffix"))
    return Name(family, given, " ".join(filter(None, first)), " ".join(filter(None, last)))


def _sex(element: Element | None) -> str | None:
    if element is None:
        return None
    code = element.get("code") or element.get("nullFlavor")
    return sex_of(code) if code else None


def _coded(element: Element) -> list[Code]:
    found = list(codes(element))
    flavor = element.get("nullFlavor")
    return found or ([Code("nullflavor", flavor)] if flavor else [])


def _languages(patient: Element) -> list[tuple[bool, str]]:
    """Each language after whether it is not marked preferred, those first that are."""
    found: list[tuple[bool, str]] = []
    for each in patient.iterchildren("{*}languageCommunication"):
        code, preferred = child(each, "languageCode"), child(each, "preferenceInd")
        if code is not None and code.get("code"):
            found.append((preferred is None or preferred.get("value") != "true", str(code.get("code"))))
    return sorted(found, key=lambda pair: pair[0])


def differences(person: Person, record: Record, *, partial: bool = False) -> list[str]:
    """What of name, birth date and sex tells this person from the record's; nothing if it is that patient.

    `partial`: a fragment for one item of the header may leave out the others; what it states must be right.
    """
    found: list[str] = []
    born = moments.iso(record.birth_date)
    if person.names or not partial:
        if letters(record.name.family) not in {letters(name.family) for name in person.names}:
            found.append("family name")
        if not any(_same_first(name, record.name) for name in person.names):
            found.append("given name")
    missing = person.birth is None
    if not (missing and partial) and (person.birth is None or born is None or not person.birth.overlaps(born)):
        found.append("birth date")
    if person.sex and person.sex != "unknown" and record.sex not in {"unknown", person.sex}:
        found.append("sex")
    return found


def _same_first(name: Name, wanted: Name) -> bool:
    """Some systems put all given names into one part."""
    first = letters(name.given[0]) if name.given else ""
    return first in {letters(wanted.given[0]), letters("".join(wanted.given))}
