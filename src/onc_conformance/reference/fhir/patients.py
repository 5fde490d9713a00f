"""Patients as resources, from charts or from what the head of a real document says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir import versions
from onc_conformance.reference.fhir.parts import (
    IDENTIFIERS,
    PROFILE,
    SNOMED,
    TERMS,
    coding,
    concept,
    instant,
    period,
    profile,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from onc_conformance.reference.charts import Chart
    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.people import Demographics

_CDC = "urn:oid:2.16.840.1.113883.6.238"
_NULL = f"{TERMS}/v3-NullFlavor"
_NULLS = {"UNK": "Unknown", "ASKU": "Asked but no answer", "NASK": "Not asked"}
_CATEGORIES = {"1002-5", "2028-9", "2054-5", "2076-8", "2106-3", "2131-1", "2135-2", "2186-5"}
_GENDERS = {"undifferentiated": "other"}
_SEXES = {"F": ("248152002", "Female"), "M": ("248153007", "Male")}
_LANGUAGES = {"en": "English", "en-US": "English (United States)", "es": "Spanish", "cs": "Czech", "sv": "Swedish"}
Row = dict[str, Any]


def charted(chart: Chart, issued: str, version: str) -> Resource:
    """The Patient of a chart of facts, by a version of US Core."""
    person = chart.person
    resource = _head(issued, chart.family, chart.given, str(person["sex"]), chart.birth_date)
    resource["extension"] = _extensions(person, version)
    name = resource["name"][0]
    name |= {part: [person["name"][part]] for part in ("prefix", "suffix") if person["name"].get(part)}
    resource["name"] += [
        {"use": "old", "family": old["family"], "given": list(old.get("given", ()))}
        for old in person["name"].get("previous", ())
    ]
    telecom = [
        {key: one[key] for key in ("system", "value", "use") if one.get(key)} for one in person.get("telecom", ())
    ]
    resource |= {"telecom": telecom} if telecom else {}
    addresses = [_address(one) for one in person.get("address", ())]
    resource |= {"address": addresses} if addresses else {}
    if code := person.get("marital_status", {}).get("code"):
        display = str(person["marital_status"].get("display", ""))
        resource["maritalStatus"] = concept(f"{TERMS}/v3-MaritalStatus", code, display)
    if language := person.get("language"):
        words = _LANGUAGES.get(language, "")
        spoken = concept("urn:ietf:bcp:47", language, words) | {"text": words or language}
        resource["communication"] = [{"language": spoken, "preferred": True}]
    return resource


def stored(who: Demographics, issued: str) -> Resource:
    """The Patient of a chart of documents."""
    return _head(issued, who.family, who.given, who.sex, who.birth_date)


def _head(issued: str, family: str, given: Sequence[str], sex: str, born: str) -> Resource:
    record_number = concept(f"{TERMS}/v2-0203", "MR", "Medical record number")
    identifier = {"use": "usual", "type": record_number, "system": f"{IDENTIFIERS}:patient", "value": issued}
    return {
        "resourceType": "Patient",
        "id": issued,
        "meta": {"lastUpdated": instant("2006-01-02"), "profile": [profile("us-core-patient")]},
        "identifier": [identifier],
        "active": True,
        "name": [{"use": "official", "family": family, "given": list(given)}],
        "gender": _GENDERS.get(sex, sex),
        "birthDate": born[:10],
    }


def _extensions(person: Mapping[str, Any], version: str) -> list[Resource]:
    found: list[Resource] = []
    if races := list(person.get("race", ())):
        found.append(_cdc("us-core-race", races))
    if ethnicity := person.get("ethnicity"):
        told = _cdc("us-core-ethnicity", [ethnicity])
        if str(ethnicity["code"]) in _NULLS and versions.has(version, {"until": "3.1.1"}):
            told["extension"] = [part for part in told["extension"] if part["url"] == "text"]
        found.append(told)
    born = person.get("birth_sex")
    if born and versions.has(version, {"until": "7.0.0"}):
        found.append({"url": f"{PROFILE}/us-core-birthsex", "valueCode": born})
    if (code := _SEXES.get(str(born))) and versions.has(version, {"since": "6.1.0"}):
        as_coding = versions.has(version, {"since": "8.0.0"})
        told = {"valueCoding": coding(SNOMED, *code)} if as_coding else {"valueCode": code[0]}
        found.append({"url": f"{PROFILE}/us-core-sex", **told})
    return found


def _cdc(name: str, rows: Sequence[Row]) -> Resource:
    parts: list[Resource] = []
    words: list[str] = []
    for row in rows:
        code = str(row["code"])
        display = str(row.get("display") or _NULLS.get(code, code))
        part = "ombCategory" if code in _CATEGORIES or code in _NULLS else "detailed"
        parts.append({"url": part, "valueCoding": coding(_NULL if code in _NULLS else _CDC, code, display)})
        words.append(display)
    parts.sort(key=lambda part: part["url"] == "detailed")
    return {"url": f"{PROFILE}/{name}", "extension": [*parts, {"url": "text", "valueString": ", ".join(words)}]}


def _address(row: Row) -> Resource:
    told = {"city": "city", "state": "state", "postal_code": "postalCode", "country": "country"}
    lines = list(row.get("line", ()))
    dates = period(str(row.get("start", "")), str(row.get("end", "")))
    return (
        {"use": "old" if row.get("end") else str(row.get("use", "home"))}
        | ({"line": lines} if lines else {})
        | {fhir: row[key] for key, fhir in told.items() if row.get(key)}
        | ({"period": dates} if dates else {})
    )
