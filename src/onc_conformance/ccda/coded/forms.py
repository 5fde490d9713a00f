"""What is wrong with one value wherever it stands: a code, a unit, a time, a telecom, an identifier. Cached, unlocated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from onc_conformance import vocabulary
from onc_conformance.findings import Severity
from onc_conformance.vocabulary import Answer, contacts, digits, identifiers, moment, names, systems, ucum

_NPI = "2.16.840.1.113883.4.6"
_SSN = "2.16.840.1.113883.4.1"


@dataclass(frozen=True, slots=True)
class Objection:
    """A finding before it has a place."""

    rule: str
    severity: Severity
    message: str
    expected: str | None = None
    found: str | None = None
    hint: str | None = None


@lru_cache(maxsize=65536)
def code(value: str, system: str | None, system_name: str | None, display: str | None) -> tuple[Objection, ...]:
    """Objections to a code, its system and its names, apart from where it is bound."""
    found = []
    if system is not None:
        if not identifiers.oid(system):
            found.append(
                Objection(
                    "VOC-SYSTEM-OID",
                    Severity.WARNING,
                    f"the code system of {value} is no OID",
                    "an OID",
                    system,
                    "State the code system by its OID.",
                )  # fmt: skip
            )
        elif reason := vocabulary.objection(system, value):
            found.append(
                Objection(
                    "VOC-CODE-IMPOSSIBLE",
                    Severity.WARNING,
                    f"{value} cannot be a code of {vocabulary.title(system)}: {reason}",
                    None,
                    value,
                    "Correct the code, or name the code system it is from.",
                )  # fmt: skip
            )
        elif vocabulary.known(system, value) is Answer.NOT_IN:
            found.append(
                Objection(
                    "VOC-CODE-UNKNOWN",
                    Severity.WARNING,
                    f"{vocabulary.title(system)} has no code {value}",
                    None,
                    value,
                    "Choose a code of the system, or a null flavor.",
                )  # fmt: skip
            )
        if system_name and (objection := _misnamed(system, system_name)):
            found.append(objection)
        if display and (objection := _misread(value, system, display)):
            found.append(objection)
    return tuple(found)


@lru_cache(maxsize=4096)
def unit(value: str) -> Objection | None:
    """Objection to a unit that is none of UCUM."""
    if ucum.is_unit(value):
        return None
    return Objection(
        "VOC-UNIT", Severity.WARNING, f"{value} is no UCUM unit", "a unit by UCUM's grammar, case sensitive", value,
        "Write the unit as UCUM spells it, such as mg/dL, [lb_av], [in_i], 10*3/uL.",
    )  # fmt: skip


@lru_cache(maxsize=16384)
def time(value: str) -> Objection | None:
    """Objection to a timestamp that names no moment."""
    reason = moment.objection(value)
    if reason is None:
        return None
    return Objection(
        "VOC-TIMESTAMP", Severity.ERROR, f"{value} is no moment: {reason}", "YYYY[MM[DD[HH[MM[SS[.S]]]]]][+ZZZZ]", value,
        "State the time in HL7's form, or a null flavor.",
    )  # fmt: skip


@lru_cache(maxsize=4096)
def telecom(value: str) -> Objection | None:
    """Objection to a telecom value."""
    reason = contacts.telecom(value)
    if reason is None:
        return None
    return Objection(
        "VOC-TELECOM", Severity.WARNING, f"telecom {value!r}: {reason}", "a URL such as tel:+1-555-555-0100", value,
        "Write the number behind tel:, an address behind mailto:.",
    )  # fmt: skip


@lru_cache(maxsize=16384)
def identifier(root: str, extension: str | None) -> Objection | None:
    """Objection to an instance identifier: its root, and the number where the root says what it counts."""
    if not identifiers.root(root):
        return Objection(
            "VOC-IDENTIFIER", Severity.ERROR, f"the root {root} is no OID and no UUID", "an OID or a UUID", root,
            "Use an OID of the assigning authority, or a UUID.",
        )  # fmt: skip
    if root == _NPI and extension and not digits.npi(extension):
        return Objection(
            "VOC-NPI", Severity.WARNING, f"{extension} is no National Provider Identifier",
            "ten digits, the last a Luhn check digit over 80840 and the others", extension, "Correct the NPI.",
        )  # fmt: skip
    if root == _SSN and extension and len([each for each in extension if each.isdigit()]) not in (4, 9):
        return Objection(
            "VOC-SSN", Severity.WARNING, "a social security number has nine digits", "nine digits", None,
            "Correct the number, or leave it out.",
        )  # fmt: skip
    return None


@lru_cache(maxsize=1024)
def _misnamed(system: str, system_name: str) -> Objection | None:
    owner = systems.named(system_name)
    if owner is None:
        return None
    stated = systems.systems().get(system)
    if stated is not None and stated.oid == owner:
        return None
    if stated is None and system.startswith("2.16.840.1.113883.3."):  # registered by somebody for a system of their own
        return None
    return Objection(
        "VOC-SYSTEM-NAME", Severity.WARNING,
        f"the code system {system} is {vocabulary.title(system) if stated else 'not known here'}, "
        f"but is called {system_name}",
        owner, system, "Let codeSystem and codeSystemName name one system.",
    )  # fmt: skip


def _misread(value: str, system: str, display: str) -> Objection | None:
    known = vocabulary.display(system, value)
    if known is None:
        return None
    if names.plain(display) == names.plain(known):
        return None
    if not names.disagree(display, known):
        return None
    return Objection(
        "VOC-DISPLAY", Severity.WARNING, f"{value} of {vocabulary.title(system)} is not called {display!r}", known,
        display, "Correct whichever is wrong, the code or its display name.",
    )  # fmt: skip
