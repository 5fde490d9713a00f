"""The facts that resources tell, in the form a patients file has them, each with the resource it stands in."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any, TypeGuard

from onc_conformance import moments, suite
from onc_conformance.fhir.bundle import Bundle, Resource
from onc_conformance.record.classes import classes, questions
from onc_conformance.record.codes import systems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Table = dict[str, Any]
_NO_SUCH_FACT = {"entered-in-error", "cancelled", "draft"}
_NOT_DONE = {"not-done"}
_MARKUP = re.compile(r"<[^>]*>")
_TELLING = 200
"""Characters of a text that are kept."""
_UCUM = {"s": "s", "min": "min", "h": "h", "d": "d", "wk": "wk", "mo": "mo", "a": "a"}


def read(bundle: Bundle, ids: Mapping[str, str]) -> Iterator[tuple[str, Table, Resource]]:
    """Class, table and resource of every fact; `ids` are what encounters are to be called, by their own ids."""
    panels = {
        str(member.get("id")): code
        for report in bundle.resources
        if report["resourceType"] == "DiagnosticReport"
        for reference in _listed(report.get("result"))
        if (member := bundle.resolve(reference))
        for code in codes(report.get("code", {}))[:1]
    }
    for resource in bundle.resources:
        if retracted(resource):
            continue
        where = next((each for each in table() if _is_of(resource, each)), None)
        if where is None:
            continue
        for part in bundle.down(resource, where["each"]) if "each" in where else [resource]:
            if not isinstance(part, dict):
                continue
            if (member := bundle.resolve(part.get("member"))) and member["resourceType"] == "Patient":
                continue  # the patient is no member of the care team to be expected
            for fact in _of(bundle, part, where, resource):
                _place_in(fact, resource, ids, panels.get(str(resource.get("id"))))
                if _is_about_something(where["kind"], fact):
                    yield where["kind"], fact, resource


def retracted(resource: Mapping[str, Any]) -> bool:
    """Whether a resource says of itself that what it tells is not so: a mistake, called off, or refuted."""
    verified = _words(resource.get("verificationStatus"))
    return str(resource.get("status")) in _NO_SUCH_FACT or not {"entered-in-error", "refuted"}.isdisjoint(verified)


def categories(resource: Resource) -> list[str]:
    """The codes of its categories."""
    return [code for each in _listed(resource.get("category")) for code in _words(each)]


def _is_of(resource: Resource, where: Mapping[str, Any]) -> bool:
    found = set(categories(resource))
    asked = set(_words(resource.get("code"))) if "questions" in where else set[str]()
    return bool(
        resource["resourceType"] == where["resource"]
        and (not where.get("categories") or found & set(where["categories"]))
        and not found & set(where.get("without", ()))
        and ("questions" not in where or asked & set(where["questions"]))
    )


def _of(bundle: Bundle, part: Resource, where: Mapping[str, Any], resource: Resource) -> Iterator[Table]:
    """The fact of a resource, and those of its components, as of a blood pressure."""
    fact = _fact(bundle, part, where, resource)
    told = _listed(part.get("component")) if where["resource"] == "Observation" else []
    components = [each for each in told if isinstance(each, dict)]
    if (not components or "value" in fact) and not _is_silent(part, fact):
        yield fact
    for component in components:
        own = _fact(bundle, component, where, resource)
        if not _is_silent(component, own):
            yield own | {key: fact[key] for key in ("date", "start", "end") if key in fact}


def _fact(bundle: Bundle, part: Resource, where: Mapping[str, Any], resource: Resource) -> Table:
    fact: Table = dict(where.get("set", {}))
    concepts = (each for path in where.get("code", ()) for each in bundle.down(part, path, resource))
    coded = next(filter(None, map(codes, concepts)), [])
    if coded:
        fact |= {"code": coded[0]} | ({"also": coded[1:]} if coded[1:] else {})
    for key in ("date", "start", "end"):
        said = next((each for path in where.get(key, ()) for each in bundle.down(resource, path, resource)), None)
        if isinstance(said, str) and (days := moments.iso(said)):
            fact[key] = moments.written(days)
    if "date" in fact:
        fact = {key: value for key, value in fact.items() if key not in {"start", "end"}}
    for key, detail in where.get("details", {}).items():
        values = (_READ[detail["as"]](each) for path in detail["path"] for each in bundle.down(part, path, resource))
        if (value := next((each for each in values if each not in (None, [], {}, "")), None)) is not None:
            fact |= _quantity_apart(value) if key == "value" else {key: value}
    if "code" not in fact or fact.get("visual"):
        texts = (each for path in where.get("text", ()) for each in bundle.down(part, path))
        if text := next((" ".join(_MARKUP.sub(" ", each).split()) for each in texts if isinstance(each, str)), ""):
            fact["text"] = text[:_TELLING]
    return _told(fact, where, resource)


def _is_silent(part: Resource, fact: Table) -> bool:
    """Whether an observation says only why it has no value."""
    return "dataAbsentReason" in part and "value" not in fact


def _told(fact: Table, where: Mapping[str, Any], resource: Resource) -> Table:
    """The fact with its kind, and as the answer where the question is understood."""
    if kind := next((where["kinds"][code] for code in categories(resource) if code in where.get("kinds", ())), None):
        fact["kind"] = kind
    asked: Table = fact.get("code", {})
    known = questions().get((where["kind"], str(asked.get("code"))))
    if known and isinstance(fact.get("value"), dict):
        answer = fact.pop("value")
        fact = {key: value for key, value in fact.items() if key != "also"} | {"kind": known, "code": answer}
    if fact.get("status") in _NOT_DONE or resource.get("doNotPerform") is True:
        fact["status"] = "not_done"
    return fact


def _place_in(fact: Table, resource: Resource, ids: Mapping[str, str], panel: Table | None) -> None:
    """The encounter it belongs to, or is; the panel a result belongs to."""
    if resource["resourceType"] == "Encounter":
        fact["id"] = ids[str(resource.get("id"))]
        return
    around = next(iter(_listed(resource.get("encounter"))), None)
    reference = str(around.get("reference", "")) if isinstance(around, dict) else ""
    if place := ids.get(re.split(r"[/:]", reference)[-1]):
        fact["encounter"] = place
    if panel and resource["resourceType"] == "Observation":
        fact["panel"] = panel


def _is_about_something(kind: str, fact: Table) -> bool:
    named = classes()[kind].named_by
    return bool("code" in fact or "text" in fact or any(name in fact for name in named))


def _listed(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said] if said else []


def codes(concept: Any) -> list[Table]:
    """The codings of a CodeableConcept whose systems are known, or OIDs, as a patients file has them."""
    return [found for coding in _codings(concept) if (found := code(coding))]


def _codings(concept: Any) -> list[Resource]:
    told = _listed(concept.get("coding")) if isinstance(concept, dict) else []
    return [each for each in told if isinstance(each, dict)]


def _words(concept: Any) -> list[str]:
    return [str(each.get("code")) for each in _codings(concept) if each.get("code")]


def code(coding: Mapping[str, Any]) -> Table | None:
    """A Coding as a patients file has it; None where its system is not known."""
    system, told = _by_uri().get(str(coding.get("system"))), coding.get("code")
    if system is None and str(coding.get("system")).startswith("urn:oid:"):
        system = str(coding["system"]).removeprefix("urn:oid:")
    if not system or not told or system == "nullflavor":
        return None
    made = {"system": system, "code": str(told)}
    return made | ({"display": str(coding["display"])} if coding.get("display") else {})


@cache
def _by_uri() -> dict[str, str]:
    return {entry["uri"]: name for name, entry in systems().items()}


def _is_number(said: object) -> TypeGuard[float]:
    return isinstance(said, int | float) and not isinstance(said, bool)


def _quantity(said: Any) -> Table | None:
    if not isinstance(said, dict) or not _is_number(said.get("value")):
        return None
    unit = said.get("code") or said.get("unit")
    return {"value": said["value"]} | ({"unit": unit} if unit else {})


def _value(said: Any) -> Any:
    if isinstance(said, dict):
        return _quantity(said) or next(iter(codes(said)), None) or said.get("text")
    return said


def _quantity_apart(value: Any) -> Table:
    """A quantity is a value beside its unit; a code or words are the value."""
    return value if isinstance(value, dict) and "value" in value else {"value": value}


def _range(said: Any) -> Table | None:
    if not isinstance(said, dict):
        return None
    ends = {key: end["value"] for key in ("low", "high") if (end := _quantity(said.get(key)))}
    return ends or ({"text": str(said["text"])} if said.get("text") else None)


def _every(said: Any) -> Table | None:
    """How often as the interval between two doses."""
    if not isinstance(said, dict):
        return None
    period, unit, times = said.get("period"), _UCUM.get(str(said.get("periodUnit"))), said.get("frequency") or 1
    if not unit or not _is_number(period) or not _is_number(times):
        return None
    return {"value": period / times, "unit": unit}


def _person(said: Any) -> Table | None:
    if isinstance(said, dict) and said.get("family") and said.get("given"):
        return name(said)
    return None


def _reason(said: Any) -> Table | str | None:
    """A code of a system that is known, else words."""
    found = next(iter(codes(said)), None)
    if found or not isinstance(said, dict):
        return found
    return said.get("text") or next((each["display"] for each in _codings(said) if each.get("display")), None)


_READ: dict[str, Callable[[Any], Any]] = {
    "code": lambda said: next(iter(codes(said)), None),
    "quantity": _quantity,
    "text": lambda said: said if isinstance(said, str) else None,
    "word": lambda said: next(iter(_words(said)), None),
    "flag": lambda said: said if said is True else None,
    "range": _range,
    "every": _every,
    "value": _value,
    "name": _person,
    "telecoms": lambda said: telecoms([said]),
    "address": lambda said: address(said) if isinstance(said, dict) else None,
    "reason": _reason,
}
"""How elements are read."""


def name(said: Mapping[str, Any]) -> Table:
    """A HumanName as a patients file has it."""
    parts = {"family": str(said.get("family")), "given": [str(each) for each in _listed(said.get("given"))]}
    ends = {key: " ".join(map(str, _listed(said.get(key)))) for key in ("prefix", "suffix")}
    return parts | {key: text for key, text in ends.items() if text}


def address(said: Mapping[str, Any]) -> Table:
    """An Address as a patients file has it."""
    use = said.get("use")
    return {
        "use": use if use in {"home", "work", "temp", "old"} else "",
        "line": list(said.get("line", ())),
        "city": said.get("city", ""),
        "state": said.get("state", ""),
        "postal_code": said.get("postalCode", ""),
        "country": said.get("country", ""),
    }


def telecoms(said: list[Any]) -> list[Table]:
    """ContactPoints as a patients file has them, those of systems it knows."""
    return [
        {
            "system": each["system"],
            "use": each.get("use") if each.get("use") in ("home", "mobile", "work") else "",
            "value": each["value"],
        }
        for each in said
        if isinstance(each, dict) and each.get("system") in ("phone", "email") and each.get("value")
    ]


@cache
def table() -> tuple[dict[str, Any], ...]:
    """schemas/fhir/facts.toml."""
    return tuple(tomllib.loads((suite.schemas() / "fhir" / "facts.toml").read_text(encoding="utf-8"))["fact"])
