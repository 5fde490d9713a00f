"""What a search asks for, and whether a resource fits it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir.answers import Refusal
from onc_conformance.reference.fhir.dates import COMPARATORS, FITS, Span, span, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from onc_conformance.reference.fhir.catalog import Kind, Parameter
    from onc_conformance.reference.fhir.parts import Resource

_COMMA, _PIPE = re.compile(r"(?<!\\),"), re.compile(r"(?<!\\)\|")
_PREFIXED = re.compile(r"([a-z]{2})(?=\d)")
_MODIFIERS = {"string": {"exact", "contains"}, "token": {"not"}, "reference": {"Patient"}, "date": set[str]()}
CONTROLS = ("_count", "_page", "_format", "_include", "_revinclude", "_pretty")
_LARGEST = 200
_USUAL = 50


@dataclass(frozen=True, slots=True)
class Clause:
    """One parameter as it was given: any of its values will do."""

    parameter: Parameter
    modifier: str
    values: tuple[str, ...]

    def fits(self, resource: Resource, base: str) -> bool:
        """Whether the resource has what is asked for; `base` is the address of this server."""
        found = list(self.parameter.values(resource))
        if self.modifier == "missing":
            return (not found) is (self.values[0] == "true")
        judge = _JUDGES[self.parameter.kind]
        fits = any(judge(self, value, asked, base) for asked in self.values for value in found)
        return not fits if self.modifier == "not" else fits


@dataclass(frozen=True, slots=True)
class Query:
    """A whole search."""

    kind: Kind
    clauses: tuple[Clause, ...]
    include: tuple[str, ...] = ()
    revinclude: tuple[str, ...] = ()
    count: int = _USUAL
    page: int = 1
    used: tuple[tuple[str, str], ...] = ()
    """The parameters that were understood, as they came."""

    def of(self, name: str) -> tuple[Clause, ...]:
        """The clauses of one parameter."""
        return tuple(clause for clause in self.clauses if clause.parameter.name == name)

    def fits(self, resource: Resource, base: str) -> bool:
        """Whether every clause is met."""
        return all(clause.fits(resource, base) for clause in self.clauses)

    def patients(self) -> list[str]:
        """The ids of the patients it names."""
        return [value.rpartition("/")[2] for clause in self.of("patient") for value in clause.values]

    def without(self, name: str) -> Query:
        """The same, but nothing asked of that parameter."""
        return replace(self, clauses=tuple(one for one in self.clauses if one.parameter.name != name))

    def changed(self, change: Callable[[Clause], Clause]) -> Query:
        """The same with other clauses."""
        return replace(self, clauses=tuple(change(clause) for clause in self.clauses))


def read(kind: Kind, pairs: Iterable[tuple[str, str]], *, strict: bool) -> Query:
    """The query of a request. Refusal of what no search can mean and, if strict, of what is ignored here."""
    clauses: list[Clause] = []
    used: list[tuple[str, str]] = []
    controls: dict[str, list[str]] = {}
    for name, value in pairs:
        bare, _, modifier = name.partition(":")
        parameter = kind.parameters.get(bare)
        if not value.strip():
            continue
        if parameter is not None:
            clauses.append(_clause(parameter, modifier, value.strip()))
        elif bare in CONTROLS and _wanted(kind, bare, value, strict=strict):
            controls.setdefault(bare, []).append(value)
        elif bare in {"_include", "_revinclude"}:
            continue
        elif strict:
            known = ", ".join((*kind.parameters, *CONTROLS))
            raise Refusal(400, "not-supported", f"{name}: {kind.name} has no such parameter; it has {known}.")
        else:
            continue
        if bare != "_page":
            used.append((name, value))
    return Query(
        kind,
        tuple(clauses),
        tuple(controls.get("_include", ())),
        tuple(controls.get("_revinclude", ())),
        min(_whole(controls, "_count", _USUAL, 0), _LARGEST),
        _whole(controls, "_page", 1, 1),
        tuple(used),
    )


def _wanted(kind: Kind, name: str, value: str, *, strict: bool) -> bool:
    """Whether a control can be heeded."""
    offered = {"_include": kind.include, "_revinclude": kind.revinclude}.get(name)
    if offered is None or ":".join(value.split(":")[:2]) in offered:
        return True
    if strict:
        told = ", ".join(offered) or "none"
        raise Refusal(400, "not-supported", f"{name}={value}: {kind.name} offers {told}.")
    return False


def _whole(controls: dict[str, list[str]], name: str, usual: int, least: int) -> int:
    text = controls.get(name, [str(usual)])[0]
    if not text.isdecimal() or int(text) < least:
        raise Refusal(400, "value", f"{name}={text}: expected a whole number from {least} up.")
    return int(text)


def _clause(parameter: Parameter, modifier: str, value: str) -> Clause:
    name = parameter.name
    if modifier and modifier != "missing" and modifier not in _MODIFIERS[parameter.kind]:
        raise Refusal(400, "not-supported", f"{name}:{modifier}: this modifier is not supported.")
    values = tuple(part for part in _COMMA.split(value) if part)
    if modifier == "missing" and values not in {("true",), ("false",)}:
        raise Refusal(400, "value", f"{name}:missing={value}: expected true or false.")
    if parameter.kind == "date" and modifier != "missing":
        for each in values:
            _asked(name, each)
    if not values:
        raise Refusal(400, "value", f"{name}={value}: there is no value.")
    return Clause(parameter, modifier, values)


def _asked(name: str, text: str) -> tuple[str, Span]:
    """Comparator and span of a date asked for."""
    prefix = _PREFIXED.match(text)
    comparator = prefix[1] if prefix else "eq"
    if comparator not in COMPARATORS:
        told = ", ".join(COMPARATORS)
        raise Refusal(400, "value", f"{name}={text}: a comparator is one of {told}.")
    try:
        return comparator, span(text[2:] if prefix else text)
    except ValueError:
        message = f"{name}={text}: a date is YYYY, YYYY-MM, YYYY-MM-DD or one with a time and a zone."
        raise Refusal(400, "value", message) from None


# --- one value found against one value asked for


def _date(clause: Clause, value: Any, asked: str, base: str) -> bool:  # noqa: ARG001 - all judges are asked alike
    comparator, wanted = _asked(clause.parameter.name, asked)
    return any(FITS[comparator](found, wanted) for found in spans(value))


def _token(clause: Clause, value: Any, asked: str, base: str) -> bool:  # noqa: ARG001
    parts = [part.replace("\\|", "|").replace("\\,", ",") for part in _PIPE.split(asked, maxsplit=1)]
    for system, code in _tokens(value, clause.parameter.system):
        if len(parts) == 1 and parts[0] == code:
            return True
        if len(parts) == 2 and parts[0] == system and parts[1] in {code, ""}:
            return True
    return False


def _tokens(value: Any, system: str) -> Sequence[tuple[str, str]]:
    if isinstance(value, bool):
        return [(system, str(value).lower())]
    if isinstance(value, str):
        return [(system, value)]
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("coding"), list):
        return [token for each in value["coding"] for token in _tokens(each, "")]
    code = value.get("code", value.get("value"))
    return [(str(value.get("system", "")), str(code))] if code is not None else []


def _reference(clause: Clause, value: Any, asked: str, base: str) -> bool:  # noqa: ARG001
    if isinstance(value, str):  # a canonical address
        return asked in {value, value.partition("|")[0]}
    found = str(value.get("reference", "")) if isinstance(value, dict) else ""
    wanted = asked.removeprefix(f"{base}/")
    found = found.removeprefix(f"{base}/")
    return bool(found) and (found == wanted if "/" in wanted else found.rpartition("/")[2] == wanted)


def _plain(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))


def _string(clause: Clause, value: Any, asked: str, base: str) -> bool:  # noqa: ARG001
    wanted = asked.replace("\\,", ",")
    if not isinstance(value, str):
        return False
    if clause.modifier == "exact":
        return value == wanted
    if clause.modifier == "contains":
        return _plain(wanted) in _plain(value)
    return _plain(value).startswith(_plain(wanted))


_JUDGES: dict[str, Callable[[Clause, Any, str, str], bool]] = {
    "date": _date,
    "token": _token,
    "reference": _reference,
    "string": _string,
}
