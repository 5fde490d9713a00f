"""Whose document it is, and what its header says about that person."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from onc_conformance import moments, suite
from onc_conformance.ccda.tree import Element, child, codes, span, words
from onc_conformance.ccda.tree import name as local
from onc_conformance.record import Code, Name, Record, letters
from onc_conformance.record.contacts import Postal

if TYPE_CHECKING:
    from onc_conformance.moments import Days


@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Postal):
    """A postal address as written, and from when to when it held."""

    element: Element
    start: Days | None = None
    end: Days | None = None


@dataclass(frozen=True, slots=True)
class Telecom:
    """A telephone number or an e-mail address as written."""

    element: Element
    system: str
    """`phone` or `email`."""
    use: str
    """In the words of a record, or as written."""
    value: str
    """Without its scheme."""


@dataclass(frozen=True, slots=True)
class Person:
    """A record target."""

    element: Element
    names: tuple[Name, ...]
    birth: Days | None
    sex: str | None
    """In the words of a record, or the code as written if it is none that is known."""
    race: tuple[Code, ...]
    """With detailed races; a null flavor is a code of the system `nullflavor`."""
    ethnicity: tuple[Code, ...]
    languages: tuple[str, ...]
    """As written, those marked preferred first."""
    marital_status: tuple[Code, ...] = ()
    addresses: tuple[Address, ...] = ()
    telecoms: tuple[Telecom, ...] = ()


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
    return Person(
        element=role,
        names=tuple(name for each in patient.iterchildren("{*}name") if (name := read_name(each))),
        birth=moments.hl7(birth.get("value") or "") if birth is not None else None,
        sex=_sex(child(patient, "administrativeGenderCode")),
        race=tuple(code for each in patient.iterchildren("{*}raceCode") for code in _coded(each)),
        ethnicity=tuple(code for each in patient.iterchildren("{*}ethnicGroupCode") for code in _coded(each)),
        languages=_languages(patient),
        marital_status=tuple(codes(marital)) if marital is not None else (),
        addresses=addresses,
        telecoms=telecoms,
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
    use = element.get("use") or ""
    return Address(
        element=element,
        use=str(facts_of_documents()["address_uses"].get(use, use)),
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
    use = element.get("use") or ""
    return Telecom(
        element=element,
        system="email" if scheme.lower() == "mailto" or "@" in rest + scheme else "phone",
        use=str(facts_of_documents()["telecom_uses"].get(use, use)),
        value=rest if colon else scheme,
    )


def read_name(element: Element) -> Name | None:
    """A name in its parts, or None where nothing of it is given. A bare text is taken for given names and family."""
    family = " ".join(" ".join(part.itertext()).strip() for part in element.iterchildren("{*}family")).strip()
    given = tuple(
        text for part in element.iterchildren("{*}given") if (text := " ".join(" ".join(part.itertext()).split()))
    )
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
    return str(facts_of_documents()["sexes"].get(code, code)) if code else None


def _coded(element: Element) -> list[Code]:
    found = list(codes(element))
    flavor = element.get("nullFlavor")
    return found or ([Code("nullflavor", flavor)] if flavor else [])


def _languages(patient: Element) -> tuple[str, ...]:
    found: list[tuple[bool, str]] = []
    for each in patient.iterchildren("{*}languageCommunication"):
        code, preferred = child(each, "languageCode"), child(each, "preferenceInd")
        if code is not None and code.get("code"):
            found.append((preferred is None or preferred.get("value") != "true", str(code.get("code"))))
    return tuple(code for _, code in sorted(found, key=lambda pair: pair[0]))


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
