"""What a header says of the patient, item by item, against the record."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onc_conformance import moments
from onc_conformance.ccda.identity import BIRTH_SEX, SEX, Address, Person, Telecom, facts_of_documents, sex_of
from onc_conformance.findings import Severity
from onc_conformance.record import Code, Name, Record, contacts, letters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

FLAVORS = {"UNK", "ASKU", "NASK", "NAV", "NI", "OTH", "NA", "MSK"}
"""Codes that say why there is none."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing in which an item of the header is not as the record has it."""

    severity: Severity
    message: str
    expected: str
    found: str
    element: object | None = None
    """Where it stands; None for the record target as a whole."""


def _name(person: Person, record: Record) -> list[Complaint]:
    wanted = record.name
    full = f"{' '.join(wanted.given)} {wanted.family}"
    same = [name for name in person.names if letters(name.family) == letters(wanted.family)]
    if not same:
        return [Complaint(Severity.ERROR, "the family name differs or is missing", wanted.family, _families(person))]
    name = max(same, key=lambda each: _agreement(each, wanted))
    complaints: list[Complaint] = []
    if (degree := _agreement(name, wanted)) < 2:
        severity = Severity.WARNING if degree == 1 else Severity.ERROR
        given = " ".join(wanted.given)
        complaints.append(Complaint(severity, "the given names differ", given, " ".join(name.given) or "none"))
    elif _spelt(name) != _spelt(wanted):
        told = f"{' '.join(name.given)} {name.family}"
        complaints.append(Complaint(Severity.WARNING, "the name is spelt differently", full, told))
    if wanted.suffix and letters(name.suffix) != letters(wanted.suffix):
        complaints.append(Complaint(Severity.ERROR, "the suffix differs", wanted.suffix, name.suffix or "none"))
    if wanted.prefix and letters(name.prefix) != letters(wanted.prefix):
        complaints.append(Complaint(Severity.WARNING, "the prefix differs", wanted.prefix, name.prefix or "none"))
    return complaints + [
        Complaint(Severity.ERROR, "a previous name is missing", f"{' '.join(each.given)} {each.family}", _names(person))
        for each in record.previous_names
        if not any(_bears(other, each) for other in person.names)
    ]


def _bears(name: Name, previous: Name) -> bool:
    """Whether a name is the previous one; a family name alone, or the previous one in a part of its own, will do."""
    parts = {letters(part) for part in (name.family, *name.given)}
    if letters(previous.family) not in parts:
        return False
    return not name.given or letters(previous.given[0]) in parts


def _agreement(name: Name, wanted: Name) -> int:
    """2 if all given names are there, 1 if those after the first are initials, else 0."""
    if letters("".join(wanted.given)) == letters("".join(name.given)):
        return 2
    parts = [letters(part) for given in name.given for part in given.split()]
    expected = [letters(part) for given in wanted.given for part in given.split()]
    if len(parts) != len(expected) or parts[:1] != expected[:1]:
        return 0
    return int(
        all(
            part and whole.startswith(part[0]) and len(part) == 1
            for part, whole in zip(parts[1:], expected[1:], strict=True)
        )
    )


def _spelt(name: Name) -> str:
    text = unicodedata.normalize("NFC", " ".join((*name.given, name.family))).casefold()
    return " ".join(text.replace("\u2019", "'").replace("\u02bc", "'").replace("\u2010", "-").split())


def _families(person: Person) -> str:
    return ", ".join(name.family for name in person.names) or "none"


def _names(person: Person) -> str:
    return ", ".join(f"{' '.join(name.given)} {name.family}" for name in person.names) or "none"


def _sex(person: Person, record: Record) -> list[Complaint]:
    if person.sex == record.sex or (record.sex == "unknown" and (person.sex is None or person.sex in FLAVORS)):
        return list(_observed("differs as it was observed", person, SEX, record.sex))
    return [Complaint(Severity.ERROR, "differs", record.sex, person.sex or "none")]


def _observed(what: str, person: Person, loinc: str, wanted: str) -> Iterator[Complaint]:
    """What an observation of the patient says otherwise; whether there has to be one is the edition's to say."""
    for element, told in person.observed(loinc):
        if told != wanted and told not in FLAVORS | {"unknown"} and wanted != "unknown":
            yield Complaint(Severity.ERROR, what, wanted, told, element)


def _birth_sex(person: Person, record: Record) -> list[Complaint]:
    wanted = sex_of(record.birth_sex or "UNK")
    return list(_observed("differs", person, BIRTH_SEX, wanted))


def _death(person: Person, record: Record) -> list[Complaint]:
    wanted = moments.iso(record.death_date or "")
    if wanted is None or (person.death and wanted.overlaps(person.death)):
        return []
    return [Complaint(Severity.ERROR, "differs", str(wanted), str(person.death or "none"))]


def _birth_date(person: Person, record: Record) -> list[Complaint]:
    wanted = moments.iso(record.birth_date)
    if wanted and person.birth and person.birth.overlaps(wanted):
        if person.birth == wanted:
            return []
        return [Complaint(Severity.WARNING, "is less or more precise", str(wanted), str(person.birth))]
    return [Complaint(Severity.ERROR, "differs", str(wanted), str(person.birth or "none"))]


def _codes(wanted: Sequence[Code], found: Sequence[Code]) -> list[Complaint]:
    have = {code.code for code in found}
    unknown = have <= FLAVORS
    missing = [code for code in wanted if code.code not in have and not (code.code in FLAVORS and have and unknown)]
    complaints = [
        Complaint(Severity.ERROR, "is missing", str(code), ", ".join(map(str, found)) or "none") for code in missing
    ]
    extra = [code for code in found if code.code not in {code.code for code in wanted} | FLAVORS]
    if wanted and extra and not missing:
        expected = ", ".join(map(str, wanted))
        complaints.append(Complaint(Severity.ERROR, "more is said than the record has", expected, str(extra[0])))
    return complaints


def _race(person: Person, record: Record) -> list[Complaint]:
    return _codes(record.race, person.race)


def _ethnicity(person: Person, record: Record) -> list[Complaint]:
    return _codes((record.ethnicity,), person.ethnicity) if record.ethnicity else []


def _language(person: Person, record: Record) -> list[Complaint]:
    if not record.language:
        return []
    if _primary(record.language) in {_primary(code) for code in person.languages}:
        preferred = person.preferred_languages
        if preferred is None or _primary(record.language) in {_primary(code) for code in preferred}:
            return []
        severity = Severity.ERROR if preferred else Severity.WARNING
        return [Complaint(severity, "is not the one preferred", record.language, ", ".join(preferred) or "none")]
    return [Complaint(Severity.ERROR, "differs", record.language, ", ".join(person.languages) or "none")]


def _primary(code: str) -> str:
    primary = code.replace("_", "-").split("-")[0].lower()
    return str(facts_of_documents()["languages"].get(primary, primary))


def _marital_status(person: Person, record: Record) -> list[Complaint]:
    wanted = record.marital_status
    if wanted is None or wanted.code in {code.code for code in person.marital_status}:
        return []
    found = ", ".join(map(str, person.marital_status)) or "none"
    return [Complaint(Severity.ERROR, "differs", str(wanted), found)]


def _address(person: Person, record: Record) -> list[Complaint]:
    """Each address of the record with the one most like it, part by part; then those that are nobody's."""
    left = list(person.addresses)
    complaints: list[Complaint] = []
    for wanted in sorted(record.address, key=lambda each: min((_apart(each, one) for one in left), default=0)):
        if not left:
            complaints.append(Complaint(Severity.ERROR, "is missing", str(contacts.postal(wanted)), "none"))
            continue
        found = min(left, key=lambda each: _apart(wanted, each))
        parts = _parts(wanted, found)
        if _apart(wanted, found) > _LIKE:
            expected = str(contacts.postal(wanted))
            complaints.append(Complaint(Severity.ERROR, "is missing", expected, str(found), found.element))
        else:
            complaints += parts
        left.remove(found)
    if not record.address:
        return []
    expected = "; ".join(str(contacts.postal(each)) for each in record.address)
    return complaints + [
        Complaint(Severity.ERROR, "more is said than the record has", expected, str(each), each.element)
        for each in left
    ]


_LIKE = 3
"""In how many of its parts an address may differ and still be that one."""


def _apart(wanted: Mapping[str, Any], found: Address) -> int:
    return sum(each.severity is Severity.ERROR for each in _parts(wanted, found))


def _parts(wanted: Mapping[str, Any], found: Address) -> list[Complaint]:
    complaints = [
        Complaint(Severity.ERROR, f"the {what} differs", one, two or "none", found.element)
        for what, one, two in contacts.apart(contacts.postal(wanted), found)
    ]
    for key, told_days in (("start", found.start), ("end", found.end)):
        days = moments.iso(wanted[key] or "")
        if days is None or (told_days and days.overlaps(told_days) and not told_days.is_wider(days)):
            continue
        differs = told_days and not days.overlaps(told_days)
        severity = Severity.ERROR if differs or (key == "end" and not told_days) else Severity.WARNING
        message = f"the {key} of its period differs"
        complaints.append(Complaint(severity, message, wanted[key], str(told_days or "none"), found.element))
    return complaints


def _telecom(person: Person, record: Record) -> list[Complaint]:
    """Each number and address of the record, then those that are not in it."""
    left = list(person.telecoms)
    complaints: list[Complaint] = []
    for wanted in record.telecom:
        same = [each for each in left if _number(each) == _reached(wanted["system"], wanted["value"])]
        if not same:
            there = ", ".join(each.value for each in person.telecoms) or "none"
            complaints.append(Complaint(Severity.ERROR, "is missing", wanted["value"], there))
            continue
        found = next((each for each in same if each.use == wanted["use"]), same[0])
        left.remove(found)
        if wanted["system"] == "phone" and wanted["use"] not in {"", found.use}:
            message = f"the use of {wanted['value']} differs"
            complaints.append(Complaint(Severity.ERROR, message, wanted["use"], found.use or "none", found.element))
    if not record.telecom:
        return []
    own = {_reached(each["system"], each["value"]) for each in record.telecom}
    expected = ", ".join(each["value"] for each in record.telecom)
    return complaints + [
        Complaint(Severity.ERROR, "more is said than the record has", expected, each.value, each.element)
        for each in left
        if _number(each) not in own
    ]


def _number(found: Telecom) -> str:
    return _reached(found.system, found.value)


def _reached(system: str, value: str) -> str:
    """What is dialled, without punctuation and the country code of North America; of an e-mail address all of it."""
    if system == "email":
        return value.strip().casefold()
    digits = re.sub(r"\D", "", value)
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


ITEMS: dict[str, Callable[[Person, Record], list[Complaint]]] = {
    "patient_name": _name,
    "sex": _sex,
    "birth_date": _birth_date,
    "race": _race,
    "ethnicity": _ethnicity,
    "preferred_language": _language,
}
"""The categories that are items of the header."""
BESIDE: dict[str, Callable[[Person, Record], list[Complaint]]] = {
    "marital status": _marital_status,
    "address": _address,
    "telecom": _telecom,
    "date of death": _death,
    "birth sex": _birth_sex,
}
"""What else a whole document says of the patient."""
