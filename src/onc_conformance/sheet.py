"""What a person has to enter for a test patient before the exam, class by class, and what a machine will ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onc_conformance import targets, uscdi, windows
from onc_conformance.record import Record
from onc_conformance.record.facts import Fact

_ON_THE_LINE = {"value", "unit", "member", "udi", "look_for", "may_lack", "kind"}
"""Keys that stand with the fact itself, or in brackets after it."""
_MARKS = {"optional": "may be absent", "visual": "judged by eye", "no_information": "nothing is to be entered"}


def lines(record: Record) -> Iterator[str]:
    """The patient, then every fact by class, then what the suite will miss."""
    yield f"{record.id}: {record.title} ({record.setting})"
    yield from _who(record)
    for kind in dict.fromkeys(fact.kind for fact in record.facts):
        yield f"  {uscdi.title(kind)}"
        for fact in record.of(kind):
            yield f"    {_fact(fact)}"
            if details := _details(fact):
                yield f"      {details}"
            if fact.attributes.get("look_for"):
                yield f"      to be read there, by eye: {fact.look_for}"
    wanted = {
        kind for category in uscdi.categories().values() for kind in category.kinds if category.name in targets.CCDS
    }
    without = [uscdi.title(kind) for kind in sorted(wanted - {fact.kind for fact in record.facts})]
    if without:
        yield f"  no fact of: {', '.join(without)}; completeness of these is not shown by this patient"
    if len(windows.exact_days(windows.dated(record))) < 2:
        yield "  fewer than two dated days: requests by date show nothing with this patient"


def _who(record: Record) -> Iterator[str]:
    yield f"  Patient: {record.name.family}, {' '.join(record.name.given)}; born {record.birth_date}; {record.sex}"
    variables = record.patient_variables()
    yield from (f"    {name}: {value}" for name in ("middle", "prefix", "suffix") if (value := variables.get(name)))
    yield from (f"    previous name: {' '.join(each.given)} {each.family}" for each in record.previous_names)
    told = {
        "died": record.death_date,
        "sex assigned at birth": record.birth_sex,
        "language": record.language,
        "race": ", ".join(map(str, record.race)),
        "ethnicity": record.ethnicity,
        "marital status": record.marital_status,
    }
    yield from (f"    {name}: {value}" for name, value in told.items() if value)
    yield from (f"    {_said(each)}" for each in (*record.address, *record.telecom))


def _fact(fact: Fact) -> str:
    value, unit = fact.attributes.get("value"), fact.attributes.get("unit", "")
    measured = "" if value is None else f" = {_said(value)} {unit}".rstrip()
    kind = str(fact.attributes.get("kind", "")).replace("_", " ")
    marks = [told for mark, told in _MARKS.items() if getattr(fact, mark)]
    if lacks := fact.attributes.get("may_lack"):
        marks.append(f"may lack {', '.join(lacks)}")
    said = f"{kind}: {fact}" if kind else str(fact)
    end = f" to {fact.end}" if fact.end else ""
    return f"{said}{end}{measured}" + (f" ({'; '.join(marks)})" if marks else "")


def _details(fact: Fact) -> str:
    """Dose, route, status and whatever else the record says."""
    also = [f"or: {', '.join(map(str, fact.codes[1:]))}"] if fact.codes[1:] else []
    words = [f"in words: {fact.text}"] if fact.text and fact.codes else []
    told = (
        f"{name.replace('_', ' ')}: {_said(value)}"
        for name, value in fact.attributes.items()
        if name not in _ON_THE_LINE and value not in (None, "", [], {})
    )
    return "; ".join((*also, *words, *told))


def _said(value: Any) -> str:
    """A code, a quantity, a range, an address or a list of these as a person writes it."""
    if value is True:
        return "yes"
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_said, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _mapping(value: Mapping[str, Any]) -> str:
    if "code" in value:
        code = f"{value['system']} {value['code']}"
        return f"{value['display']} ({code})" if value.get("display") else code
    if "low" in value or "high" in value:
        return " to ".join(_said(value[end]) for end in ("low", "high") if value.get(end) is not None)
    if "family" in value:
        given = value["given"] if isinstance(value["given"], str) else " ".join(value["given"])
        return f"{given} {value['family']}"
    if "value" in value:
        return f"{_said(value['value'])} {value.get('unit') or value.get('use') or ''}".rstrip()
    if "status" in value or "repeat" in value:
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items())
    return ", ".join(_said(each) for name, each in value.items() if name != "use" and each)
