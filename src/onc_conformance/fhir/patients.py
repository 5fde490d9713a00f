"""What a bundle of US Core resources says of its patient, in the form of a patients file."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any

from onc_conformance import moments, suite
from onc_conformance.fhir.bundle import Bundle, Resource
from onc_conformance.record.classes import KINDS, classes, questions
from onc_conformance.record.codes import systems
from onc_conformance.record.facts import letters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Table = dict[str, Any]
_NO_SUCH_FACT = {"entered-in-error", "cancelled", "draft"}
_NOT_DONE = {"not-done"}
_MARKUP = re.compile(r"<[^>]*>")
_TELLING = 200
"""Characters of a text that are kept."""
_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_GENDERS = {"male": "male", "female": "female", "other": "undifferentiated"}
_UCUM = {"s": "s", "min": "min", "h": "h", "d": "d", "wk": "wk", "mo": "mo", "a": "a"}


def patient(content: Mapping[str, Any]) -> Table:
    """The one patient of a bundle as a patients file has them. ValueError, one line, where there is none or several."""
    bundle = Bundle(content)
    people = bundle.of("Patient")
    if len(people) != 1:
        raise ValueError(f"holds {len(people) or 'no'} Patient resource{'s' if len(people) > 1 else ''}; expected one")
    who = _who(people[0])
    ids = {str(each.get("id")): f"encounter-{place}" for place, each in enumerate(bundle.of("Encounter"), 1)}
    kept: dict[str, list[Table]] = {}
    for kind, fact in _facts(bundle, ids):
        if fact not in kept.setdefault(kind, []):
            kept[kind].append(fact)
    return who | {kind: kept[kind] for kind in KINDS if kept.get(kind)}


def _who(resource: Resource) -> Table:
    names = [each for each in resource.get("name", ()) if each.get("family") and each.get("given")]
    now = next((each for each in names if each.get("use") not in {"old", "maiden"}), None)
    if now is None or not moments.iso(str(resource.get("birthDate", ""))):
        raise ValueError("the Patient has no name with family and given, or no birth date")
    old = [_name(each) for each in names if each is not now and each.get("use") in {"old", "maiden"}]
    spoken = [each for each in resource.get("communication", ()) if each.get("preferred")]
    languages = spoken or resource.get("communication", [])[:1]
    slug = re.sub(r"[^a-z0-9]+", "-", f"{letters(now['given'][0])}-{letters(now['family'])}").strip("-")
    return {
        "id": slug or "patient",
        "name": _name(now) | ({"previous": old} if old else {}),
        "birth_date": resource["birthDate"],
        "death_date": resource.get("deceasedDateTime"),
        "sex": _GENDERS.get(str(resource.get("gender")), "unknown"),
        "birth_sex": next((each.get("valueCode") for each in _extensions(resource, "birthsex")), None),
        "race": list(_cultures(resource, "race")),
        "ethnicity": next(_cultures(resource, "ethnicity"), None),
        "language": next((code["code"] for each in languages for code in each["language"].get("coding", ())), None),
        "marital_status": next(iter(_codes(resource.get("maritalStatus", {}))), None),
        "address": [_address(each) for each in resource.get("address", ())],
        "telecom": _telecoms(resource.get("telecom", [])),
    }


def _extensions(resource: Resource, name: str) -> Iterator[Resource]:
    return (each for each in resource.get("extension", ()) if each.get("url") == _CORE + name)


def _cultures(resource: Resource, name: str) -> Iterator[Table]:
    for extension in _extensions(resource, name):
        for part in extension.get("extension", ()):
            coding = part.get("valueCoding")
            if coding and (code := _code(coding)):
                yield code


def _name(said: Mapping[str, Any]) -> Table:
    parts = {"family": said.get("family"), "given": list(said.get("given", ()))}
    ends = {key: " ".join(said.get(key, ())) for key in ("prefix", "suffix")}
    return parts | {key: text for key, text in ends.items() if text}


def _address(said: Resource) -> Table:
    use = said.get("use")
    return {
        "use": use if use in {"home", "work", "temp", "old"} else "",
        "line": list(said.get("line", ())),
        "city": said.get("city", ""),
        "state": said.get("state", ""),
        "postal_code": said.get("postalCode", ""),
        "country": said.get("country", ""),
    }


def _telecoms(said: list[Resource]) -> list[Table]:
    return [
        {
            "system": each["system"],
            "use": each.get("use") if each.get("use") in {"home", "mobile", "work"} else "",
            "value": each["value"],
        }
        for each in said
        if each.get("system") in {"phone", "email"} and each.get("value")
    ]


def _facts(bundle: Bundle, ids: Mapping[str, str]) -> Iterator[tuple[str, Table]]:
    panels = {
        str(member.get("id")): code
        for report in bundle.of("DiagnosticReport")
        for reference in _listed(report.get("result"))
        if (member := bundle.resolve(reference))
        for code in _codes(report.get("code", {}))[:1]
    }
    for resource in bundle.resources:
        if str(resource.get("status")) in _NO_SUCH_FACT or _retracted(resource):
            continue
        where = next((each for each in _table() if _is_of(resource, each)), None)
        if where is None:
            continue
        for part in bundle.down(resource, where["each"]) if "each" in where else [resource]:
            if (member := bundle.resolve(part.get("member", {}))) and member["resourceType"] == "Patient":
                continue  # the patient is no member of the care team to be expected
            for fact in _of(bundle, part, where, resource):
                _place_in(fact, resource, ids, panels.get(str(resource.get("id"))))
                if _is_about_something(where["kind"], fact):
                    yield where["kind"], fact


def _retracted(resource: Resource) -> bool:
    status = resource.get("verificationStatus")
    return any(code in {"entered-in-error", "refuted"} for code in _words(status or {}))


def _is_of(resource: Resource, where: Mapping[str, Any]) -> bool:
    categories = {code for each in _listed(resource.get("category")) for code in _words(each)}
    asked = set(_words(resource.get("code"))) if "questions" in where else set[str]()
    return bool(
        resource["resourceType"] == where["resource"]
        and (not where.get("categories") or categories & set(where["categories"]))
        and not categories & set(where.get("without", ()))
        and ("questions" not in where or asked & set(where["questions"]))
    )


def _of(bundle: Bundle, part: Resource, where: Mapping[str, Any], resource: Resource) -> Iterator[Table]:
    """The fact of a resource, and those of its components, as of a blood pressure."""
    fact = _fact(bundle, part, where, resource)
    components = part.get("component", ()) if where["resource"] == "Observation" else ()
    if not components or "value" in fact:
        yield fact
    for component in components:
        own = _fact(bundle, component, where, resource)
        yield own | {key: fact[key] for key in ("date", "start", "end") if key in fact}


def _fact(bundle: Bundle, part: Resource, where: Mapping[str, Any], resource: Resource) -> Table:
    fact: Table = dict(where.get("set", {}))
    coded = next(
        (found for path in where.get("code", ()) for each in bundle.down(part, path) if (found := _codes(each))), []
    )
    if coded:
        fact |= {"code": coded[0]} | ({"also": coded[1:]} if coded[1:] else {})
    for key in ("date", "start", "end"):
        said = next((each for path in where.get(key, ()) for each in bundle.down(resource, path)), None)
        if isinstance(said, str) and (days := moments.iso(said)):
            fact[key] = moments.written(days)
    if "date" in fact:
        fact = {key: value for key, value in fact.items() if key not in {"start", "end"}}
    for key, detail in where.get("details", {}).items():
        values = (_READ[detail["as"]](each) for path in detail["path"] for each in bundle.down(part, path))
        if (value := next((each for each in values if each not in (None, [], {}, "")), None)) is not None:
            fact |= _quantity_apart(value) if key == "value" else {key: value}
    if "code" not in fact or fact.get("visual"):
        texts = (each for path in where.get("text", ()) for each in bundle.down(part, path))
        if text := next((" ".join(_MARKUP.sub(" ", each).split()) for each in texts if isinstance(each, str)), ""):
            fact["text"] = text[:_TELLING]
    return _told(fact, where, resource)


def _told(fact: Table, where: Mapping[str, Any], resource: Resource) -> Table:
    """The fact with its kind, and as the answer where the question is understood."""
    categories = [code for each in _listed(resource.get("category")) for code in _words(each)]
    if kind := next((where["kinds"][code] for code in categories if code in where.get("kinds", ())), None):
        fact["kind"] = kind
    asked: Table = fact.get("code", {})
    known = questions().get((where["kind"], str(asked.get("code"))))
    if known and isinstance(fact.get("value"), dict):
        answer = fact.pop("value")
        fact = {key: value for key, value in fact.items() if key != "also"} | {"kind": known, "code": answer}
    if fact.get("status") in _NOT_DONE:
        fact["status"] = "not_done"
    return fact


def _place_in(fact: Table, resource: Resource, ids: Mapping[str, str], panel: Table | None) -> None:
    """The encounter it belongs to, or is; the panel a result belongs to."""
    if resource["resourceType"] == "Encounter":
        fact["id"] = ids[str(resource.get("id"))]
        return
    around: Resource = next(iter(_listed(resource.get("encounter"))), {})
    reference = str(around.get("reference", ""))
    if place := ids.get(re.split(r"[/:]", reference)[-1]):
        fact["encounter"] = place
    if panel and resource["resourceType"] == "Observation":
        fact["panel"] = panel


def _is_about_something(kind: str, fact: Table) -> bool:
    named = classes()[kind].named_by
    return bool("code" in fact or "text" in fact or any(name in fact for name in named))


def _listed(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said] if said else []


def _codes(concept: Any) -> list[Table]:
    """The codings of a CodeableConcept whose systems are known, or OIDs."""
    return [code for coding in _codings(concept) if (code := _code(coding))]


def _codings(concept: Any) -> list[Resource]:
    return [each for each in concept.get("coding", ()) if isinstance(each, dict)] if isinstance(concept, dict) else []


def _words(concept: Any) -> list[str]:
    return [str(each.get("code")) for each in _codings(concept) if each.get("code")]


def _code(coding: Mapping[str, Any]) -> Table | None:
    system, code = _by_uri().get(str(coding.get("system"))), coding.get("code")
    if system is None and str(coding.get("system")).startswith("urn:oid:"):
        system = str(coding["system"]).removeprefix("urn:oid:")
    if not system or not code or system == "nullflavor":
        return None
    made = {"system": system, "code": str(code)}
    return made | ({"display": coding["display"]} if coding.get("display") else {})


@cache
def _by_uri() -> dict[str, str]:
    return {entry["uri"]: name for name, entry in systems().items()}


def _quantity(said: Any) -> Table | None:
    if not isinstance(said, dict) or not isinstance(said.get("value"), (int, float)):
        return None
    unit = said.get("code") or said.get("unit")
    return {"value": said["value"]} | ({"unit": unit} if unit else {})


def _value(said: Any) -> Any:
    if isinstance(said, dict):
        return _quantity(said) or next(iter(_codes(said)), None) or said.get("text")
    return said


def _quantity_apart(value: Any) -> Table:
    """A quantity is a value beside its unit; a code or words are the value."""
    return value if isinstance(value, dict) and "value" in value else {"value": value}


def _range(said: Any) -> Table | None:
    ends = {
        key: said[key]["value"] for key in ("low", "high") if isinstance(said.get(key), dict) and "value" in said[key]
    }
    return ends or ({"text": said["text"]} if said.get("text") else None)


def _every(said: Any) -> Table | None:
    """How often as the interval between two doses."""
    period, unit = said.get("period"), _UCUM.get(str(said.get("periodUnit")))
    if not isinstance(period, (int, float)) or not unit:
        return None
    return {"value": period / (said.get("frequency") or 1), "unit": unit}


def _person(said: Any) -> Table | None:
    if isinstance(said, dict) and said.get("family") and said.get("given"):
        return _name(said)
    return None


_READ: dict[str, Callable[[Any], Any]] = {
    "code": lambda said: next(iter(_codes(said)), None),
    "quantity": _quantity,
    "text": lambda said: said if isinstance(said, str) else None,
    "word": lambda said: next(iter(_words(said)), None),
    "flag": lambda said: said if said is True else None,
    "range": _range,
    "every": _every,
    "value": _value,
    "name": _person,
    "telecoms": lambda said: _telecoms([said]),
}
"""How elements are read."""


@cache
def _table() -> tuple[dict[str, Any], ...]:
    return tuple(tomllib.loads((suite.schemas() / "fhir" / "facts.toml").read_text(encoding="utf-8"))["fact"])
