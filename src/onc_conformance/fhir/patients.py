"""What a bundle of US Core resources says of its patient, in the form of a patients file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from onc_conformance import moments
from onc_conformance.fhir import facts
from onc_conformance.fhir.bundle import Bundle, Resource
from onc_conformance.fhir.facts import Table
from onc_conformance.record.classes import KINDS
from onc_conformance.record.facts import letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_GENDERS = {"male": "male", "female": "female", "other": "undifferentiated"}


def patient(content: Mapping[str, Any]) -> Table:
    """The one patient of a bundle as a patients file has them. ValueError, one line, where there is none or several."""
    bundle = Bundle(content)
    people = bundle.of("Patient")
    if len(people) != 1:
        raise ValueError(f"holds {len(people) or 'no'} Patient resource{'s' if len(people) > 1 else ''}; expected one")
    who = _who(people[0])
    ids = {str(each.get("id")): f"encounter-{place}" for place, each in enumerate(bundle.of("Encounter"), 1)}
    kept: dict[str, list[Table]] = {}
    for kind, fact, _ in facts.read(bundle, ids):
        if fact not in kept.setdefault(kind, []):
            kept[kind].append(fact)
    return who | {kind: kept[kind] for kind in KINDS if kept.get(kind)}


def _who(resource: Resource) -> Table:
    names = [each for each in resource.get("name", ()) if each.get("family") and each.get("given")]
    now = next((each for each in names if each.get("use") not in {"old", "maiden"}), None)
    if now is None or not moments.iso(str(resource.get("birthDate", ""))):
        raise ValueError("the Patient has no name with family and given, or no birth date")
    old = [facts.name(each) for each in names if each is not now and each.get("use") in {"old", "maiden"}]
    spoken = [each for each in resource.get("communication", ()) if each.get("preferred")]
    languages = spoken or resource.get("communication", [])[:1]
    slug = re.sub(r"[^a-z0-9]+", "-", f"{letters(now['given'][0])}-{letters(now['family'])}").strip("-")
    return {
        "id": slug or "patient",
        "name": facts.name(now) | ({"previous": old} if old else {}),
        "birth_date": resource["birthDate"],
        "death_date": resource.get("deceasedDateTime"),
        "sex": _GENDERS.get(str(resource.get("gender")), "unknown"),
        "birth_sex": next((each.get("valueCode") for each in _extensions(resource, "birthsex")), None),
        "race": list(_cultures(resource, "race")),
        "ethnicity": next(_cultures(resource, "ethnicity"), None),
        "language": next((code["code"] for each in languages for code in each["language"].get("coding", ())), None),
        "marital_status": next(iter(facts.codes(resource.get("maritalStatus", {}))), None),
        "address": [facts.address(each) for each in resource.get("address", ())],
        "telecom": facts.telecoms(resource.get("telecom", [])),
    }


def _extensions(resource: Resource, name: str) -> Iterator[Resource]:
    return (each for each in resource.get("extension", ()) if each.get("url") == _CORE + name)


def _cultures(resource: Resource, name: str) -> Iterator[Table]:
    for extension in _extensions(resource, name):
        for part in extension.get("extension", ()):
            coding = part.get("valueCoding")
            if coding and (code := facts.code(coding)):
                yield code
