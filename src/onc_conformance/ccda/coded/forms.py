"""What is wrong with one value wherever it stands: code, unit, time, telecom, identifier. Cached, without a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from onc_conformance import vocabulary
from onc_conformance.findings import Severity, set_aside
from onc_conformance.vocabulary import Answer, contacts, digits, identifiers, moment, names, systems, ucum

CODES_ALONE = frozenset({"VOC-CODE-IMPOSSIBLE", "VOC-CODE-UNKNOWN"})
"""Rules about a code that a binding of its place says with more weight."""
MAX_VALUE = 1_000
"""Characters of a value that are looked at: what is longer is wrong already, and caches must not hold megabytes."""
_NPI = "2.16.840.1.113883.4.6"
_SSN = "2.16.840.1.113883.4.1"
_VENDORS = "2.16.840.1.113883.3."
"""Under it organisations register code systems of their own, and may give them familiar names."""


def kept(text: str | None) -> str | None:
    """The beginning of a value, if there is one."""
    return None if text is None else text[:MAX_VALUE]


@dataclass(frozen=True, slots=True)
class Objection:
    """A finding before it has a place."""

    rule: str
    message: str
    expected: str | None = None
    found: str | None = None
    hint: str | None = None
    severity: Severity = Severity.WARNING
    alike: str | None = None
    """What many values share that are objected to for one reason; they are told in one finding."""


@lru_cache(maxsize=16384)
def code(value: str, system: str | None, system_name: str | None, display: str | None) -> tuple[Objection, ...]:
    """Objections to a code, its system and its names, apart from where it is bound."""
    return tuple(_objections(value, system, system_name, display)) if system is not None else ()


def _objections(value: str, system: str, system_name: str | None, display: str | None) -> Iterator[Objection]:
    title = vocabulary.title(system)
    if not identifiers.oid(system):
        said = f"the code system of {value} is no OID"
        yield Objection("VOC-SYSTEM-OID", said, "an OID", system, "State the code system by its OID.")
    elif slip := vocabulary.misprinted(system, value):
        aside = set_aside("VOC-CODE-IMPOSSIBLE", slip.reason, slip.source, 1)
        yield Objection(aside.rule, aside.message, found=aside.found, severity=aside.severity)
    elif reason := vocabulary.objection(system, value):
        said = f"{value} cannot be a code of {title}: {reason}"
        hint = "Correct the code, or name the code system it is from."
        yield Objection("VOC-CODE-IMPOSSIBLE", said, f"a code of {title}", value, hint, Severity.ERROR)
    elif vocabulary.known(system, value) is Answer.NOT_IN:
        hint = "Choose a code of the system, or a null flavor."
        yield Objection("VOC-CODE-UNKNOWN", f"{title} has no code {value}", f"a code of {title}", value, hint)
    if system_name:
        yield from _misnamed(system, system_name)
    if display:
        yield from _misread(value, system, display)


def _misnamed(system: str, system_name: str) -> Iterator[Objection]:
    owners = systems.named(system_name)
    stated = systems.systems().get(system)
    own = stated is None and system.startswith(_VENDORS)
    if not owners or own or (stated is not None and stated.oid in owners):
        return
    known_as = vocabulary.title(system) if stated else "no system known here"
    said = f"the code system {system} is {known_as}, but is called {system_name}"
    hint = "Let codeSystem and codeSystemName name one system."
    yield Objection("VOC-SYSTEM-NAME", said, " or ".join(sorted(owners)), system, hint)


def _misread(value: str, system: str, display: str) -> Iterator[Objection]:
    known = vocabulary.display(system, value)
    if known is None:
        return
    if all(names.disagree(display, name) for name in (known, *names.others(system, value))):
        said = f"{value} of {vocabulary.title(system)} is not called {display!r}"
        hint = "Correct whichever is wrong, the code or its display name."
        if owners := vocabulary.called(system, display):
            # A person reads one thing and a program another: that is more than a careless name
            said += f", which is {' or '.join(sorted(owners))}"
            yield Objection("VOC-NAME-OF-ANOTHER", said, known, display, hint, Severity.ERROR)
        else:
            yield Objection("VOC-DISPLAY", said, known, display, hint)


@lru_cache(maxsize=4096)
def unit(value: str) -> Objection | None:
    """Objection to a unit that is none of UCUM."""
    if ucum.is_unit(value):
        return None
    hint = "Write the unit as UCUM spells it, such as mg/dL, [lb_av], [in_i], 10*3/uL."
    return Objection("VOC-UNIT", f"{value} is no UCUM unit", "a unit by UCUM's grammar, case sensitive", value, hint)


@lru_cache(maxsize=16384)
def time(value: str) -> Objection | None:
    """Objection to a timestamp that names no moment."""
    reason = moment.objection(value)
    if reason is None:
        return None
    said, form = f"{value} is no moment: {reason}", "YYYY[MM[DD[HH[MM[SS[.S]]]]]][+ZZZZ]"
    hint = "State the time in HL7's form, or a null flavor."
    return Objection("VOC-TIMESTAMP", said, form, value, hint, Severity.ERROR)


@lru_cache(maxsize=4096)
def telecom(value: str) -> Objection | None:
    """Objection to a telecom value."""
    reason = contacts.telecom(value)
    if reason is None:
        return None
    said = f"{value!r} is no telecom value: {reason}"
    hint = "Write a number behind tel:, an address behind mailto:."
    return Objection("VOC-TELECOM", said, "a URL such as tel:+1-555-555-0100", value, hint, alike=reason)


@lru_cache(maxsize=16384)
def identifier(root: str, extension: str | None) -> Objection | None:
    """Objection to an instance identifier: its root, and the number where the root says what it counts."""
    if not identifiers.root(root):
        said, hint = f"the root {root} is no OID and no UUID", "Use an OID of the assigning authority, or a UUID."
        return Objection("VOC-IDENTIFIER", said, "an OID or a UUID", root, hint, Severity.ERROR)
    if root == _NPI and extension and not digits.npi(extension):
        said = f"{extension} is no National Provider Identifier"
        form = "ten digits, the last a Luhn check digit over 80840 and the others"
        return Objection("VOC-NPI", said, form, extension, "Correct the NPI.", alike="NPI")
    if root == _SSN and extension and sum(map(str.isdigit, extension)) not in (4, 9):
        said, hint = "a social security number has nine digits", "Correct the number, or leave it out."
        return Objection("VOC-SSN", said, "nine digits, or the last four", None, hint, alike="SSN")
    return None
