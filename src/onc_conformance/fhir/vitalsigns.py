"""FHIR's own profiles of vital signs (schemas/fhir-r4/vital-signs.toml), for versions of US Core that have none."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from onc_conformance import suite

_CANONICAL = "http://hl7.org/fhir/StructureDefinition/"
_UCUM = {"min": 1, "fixed": "http://unitsofmeasure.org", "ms": True}
_SHOWN = {"min": 1, "ms": True}


@cache
def profiles(version: str) -> Mapping[str, Mapping[str, Any]]:
    """By URL, in the form of a guide's table; none for a version of US Core with profiles of its own."""
    told = _told()
    if version not in told["versions"]:
        return {}
    return {
        f"{_CANONICAL}{sign['id']}": {
            "id": sign["id"],
            "name": sign["name"],
            "type": "Observation",
            "base": f"{_CANONICAL}vitalsigns",
            "elements": {**told["common"], **_elements(sign)},
        }
        for sign in told["sign"]
    }


@cache
def required(version: str) -> tuple[str, ...]:
    """The URLs of those that a certified server has to show."""
    signs = _told()["sign"] if profiles(version) else ()
    return tuple(f"{_CANONICAL}{sign['id']}" for sign in signs if not sign.get("optional"))


@cache
def _told() -> Mapping[str, Any]:
    return tomllib.loads((suite.schemas() / "fhir-r4" / "vital-signs.toml").read_text(encoding="utf-8"))


def _elements(sign: Mapping[str, Any]) -> dict[str, Any]:
    code = {"Observation.code": {"pattern": _loinc(sign["code"]), "ms": True}}
    if "components" not in sign:
        return {**code, "Observation.dataAbsentReason": {"ms": True}, **_measured("Observation", sign)}
    panel = {
        "min": 2,
        "slicing": {"by": [["pattern", "code"]], "rules": "open"},
        "ms": True,
        "inv": [["vs-3", "error", "a5edf369"]],
    }
    found: dict[str, Any] = {**code, "Observation.value[x]": {"max": 0}, "Observation.component": panel}
    for name, loinc in sign["components"].items():
        place = f"Observation.component:{name}"
        found[place] = {"min": 1, "max": 1, "ms": True}
        found[f"{place}.code"] = {"pattern": _loinc(loinc), "ms": True}
        found |= _measured(place, sign)
    return found


def _measured(place: str, sign: Mapping[str, Any]) -> dict[str, Any]:
    value = f"{place}.value[x]"
    unit = {"fixed": sign["unit"]} if "unit" in sign else {"binding": ["required", sign["units"]]}
    return {
        value: {"types": [{"code": "Quantity"}], "ms": True},
        f"{value}.value": _SHOWN,
        f"{value}.unit": _SHOWN,
        f"{value}.system": _UCUM,
        f"{value}.code": {**_SHOWN, **unit},
    }


def _loinc(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}
