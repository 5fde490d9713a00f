"""What a C-CDA says of its patient, in the form of a patients file: an expected record, or the beginning of one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from onc_conformance import moments, uscdi
from onc_conformance.ccda.identity import facts_of_documents, use_of
from onc_conformance.ccda.kinds import table
from onc_conformance.ccda.sections import narrative
from onc_conformance.ccda.tree import Element, child, codes, local_type, name, span, words
from onc_conformance.record import contacts
from onc_conformance.record.classes import KINDS, classes, questions
from onc_conformance.record.codes import systems
from onc_conformance.record.details import as_written, number
from onc_conformance.record.facts import letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from onc_conformance.ccda.document import Document
    from onc_conformance.ccda.facts import Found
    from onc_conformance.ccda.identity import Person
    from onc_conformance.record import Code, Name
    from onc_conformance.record.details import Said

Table = dict[str, Any]
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_SEXES = {"male", "female", "undifferentiated", "unknown"}
_TELLING = 200
"""Characters of a narrative that are kept for a person to look for."""
_ASSESSMENT, _ANSWER = "2.16.840.1.113883.10.20.22.4.69", "2.16.840.1.113883.10.20.22.4.86"
_PREGNANCY = "2.16.840.1.113883.10.20.15.3.8"
_EVERY_CONCERN, _EVERY_NOTE = "75310-3", "34109-9"
_GENERAL = {"54522-8", "373930000", "75275-8", "ASSERTION"}
"""Codes of observations that only say that there is a finding."""
_ACTS = {
    "act": "act",
    "encounter": "encounter",
    "observation": "observation",
    "procedure": "procedure",
    "substanceAdministration": "medication",
}
_CARRIED = {"immunizations"}
"""Classes of which something not done is a fact; elsewhere a negated entry mostly says that there is none."""


def patient(docs: Sequence[Document]) -> Table:
    """One patient as a patients file has them: who, by the first document that says so, and the facts of all.

    ValueError, one line, where no document names a patient with name and birth date.
    """
    person = next((each for doc in docs for each in doc.people if each.names and each.birth), None)
    if person is None:
        raise ValueError("names no patient with a name and a birth date")
    return _who(person) | facts(docs)


def facts(docs: Iterable[Document]) -> dict[str, list[Table]]:
    """The facts that documents tell, by class; what several tell is told once."""
    kept: dict[str, list[Table]] = {}
    for doc in docs:
        for kind, told in _facts(doc).items():
            known = kept.setdefault(kind, [])
            before = list(known)
            known += [fact for fact in told if fact not in before]
    return {kind: kept[kind] for kind in KINDS if kept.get(kind)}


def slug(given: str, family: str) -> str:
    """A name as an id."""
    made = re.sub(r"[^a-z0-9]+", "-", f"{letters(given)}-{letters(family)}").strip("-")
    return made if made.isascii() and made[:1].isalnum() else "patient"


def _who(person: Person) -> Table:
    first, *others = person.names
    given = list(first.given) or ["unknown"]
    born = moments.written(person.birth) if person.birth else ""
    race = [_coded(code) for code in person.race]
    ethnicity = [_coded(code) for code in person.ethnicity]
    return {
        "id": slug(given[0], first.family or "unknown"),
        "name": _name(first)
        | {"given": given, "family": first.family or "unknown"}
        | {"previous": [_name(each) for each in others if each.family and each.given and each != first]},
        "birth_date": born,
        "sex": person.sex if person.sex in _SEXES else "unknown",
        "race": [each for each in race if each],
        "ethnicity": next(filter(None, ethnicity), None),
        "language": next(iter(person.languages), None),
        "marital_status": next(filter(None, (_coded(code) for code in person.marital_status)), None),
        "address": [contacts.written_postal(each) for each in person.addresses],
        "telecom": [
            contacts.written_telecom(f"{'mailto' if each.system == 'email' else 'tel'}:{each.value}", each.use)
            for each in person.telecoms
            if each.value
        ],
    }


def _name(said: Name) -> Table:
    parts = {"family": said.family, "given": list(said.given), "prefix": said.prefix, "suffix": said.suffix}
    return {key: value for key, value in parts.items() if value}


def _coded(code: Code) -> Table | None:
    """A code, or None where it names no system."""
    if code.system not in systems() and not _OID.fullmatch(code.system):
        return None
    made = {"system": code.system, "code": code.code}
    return made | ({"display": code.display} if code.display else {})


def _codes(found: Iterable[Code]) -> list[Table]:
    return [made for code in found if (made := _coded(code))]


def _facts(doc: Document) -> Mapping[str, list[Table]]:
    """Facts by class in document order; words without an entry are for a person to see."""
    kept: dict[str, list[Table]] = {}
    ids: dict[Element, str] = {}
    for found in (*doc.facts, *doc.denials):
        if (fact := _fact(found, ids)) is None:
            continue
        facts = kept.setdefault(found.kind, [])
        named = found.section is None and any(each.get("member") == fact.get("member") for each in facts)
        if (named and found.kind == "care_team") or (fact in facts and not table().of[found.kind].counted):
            continue
        facts.append(fact)
    kept.setdefault("participants", []).extend(_keepers(doc))
    for kind, where in table().of.items():
        if where.narrated and where.sections and kind not in kept:
            told = [narrative(each) for each in doc.sections if each.loinc in where.sections and each.informs]
            if texts := [{"visual": True, "text": " ".join(text.split())[:_TELLING]} for text in told if text.strip()]:
                kept[kind] = texts
    return kept


def _keepers(doc: Document) -> list[Table]:
    """The organization that keeps the document."""
    path = "{*}custodian/{*}assignedCustodian/{*}representedCustodianOrganization/{*}name"
    names = [words(each) for each in (doc.root.iterfind(path) if doc.root is not None else ())]
    return [{"kind": "custodian", "organization": keeper, "optional": True} for keeper in names if keeper]


def _fact(found: Found, ids: dict[Element, str]) -> Table | None:
    kind = found.kind
    if found.negated and kind not in _CARRIED:
        return None
    own, also = _about(found, ids)
    fact: Table = own | ({"also": also} if also else {})
    if found.member and found.member.family and "member" in classes()[kind].keys:
        _take_member(fact, found.member)
    if found.udi:
        fact["udi"] = found.udi[0]
    said = " ".join(found.text.split())[:_TELLING]
    if not any(name in fact for name in ("code", "member", "udi")):
        fact |= {"text": said} if said else {"text": f"{uscdi.title(kind)} without a code", "visual": True}
    elif kind == "notes" and said:
        fact["look_for"] = said
    fact |= _when(found) | _details(found)
    marks: Table = {
        "status": "not_done" if found.negated else None,
        "optional": True if found.section is None else None,
    }
    about = _participation(found.element) if kind == "participants" else {}
    return fact | {key: value for key, value in (marks | about).items() if value}


def _participation(element: Element) -> Table:
    """As what somebody stands in the header, since when, for whom."""
    organization = next(element.iterfind(".//{*}representedOrganization/{*}name"), None)
    written = next((days for each in element.iterfind("{*}time") for days in span(each) if days), None)
    return {
        "kind": facts_of_documents()["participations"][name(element)],
        "organization": words(organization) if organization is not None else None,
        "provenance": {"time": moments.written(written)} if written else None,
    }


def _take_member(fact: Table, member: Name) -> None:
    """A person is known by the name; the code is the role."""
    fact["member"] = _name(member) if member.given else _name(member) | {"given": ["unknown"]}
    if "code" in fact:
        fact["role"] = fact.pop("code")
        fact.pop("also", None)


def _about(found: Found, ids: dict[Element, str]) -> tuple[Table, list[Table]]:
    """What a fact is about, with further codes that may stand for it."""
    entry, kind = found.element, found.kind
    coded = _codes(found.codes)
    if kind == "health_concerns":
        coded = [code for code in coded if code["code"] not in {_EVERY_CONCERN, *_GENERAL, "55607006", "29308-4"}]
    if kind == "notes":  # which kind of note stands beside the code that every note has
        coded = [code for code in coded if code["code"] != _EVERY_NOTE] or coded
    if kind == "assessment_plan":
        own: Table = {"kind": "plan"} | ({"act": act} if (act := _ACTS.get(name(entry))) else {})
        return own | ({"code": coded[0]} if coded else {}), coded[1:]
    if not table().of[kind].value or kind in {"laboratory_results", "vital_signs"}:
        value = _measured(found)
        return ({"code": coded[0]} if coded else {}) | ({} if value is None else {"value": value}), coded[1:]
    return _answer(entry, kind, ids)


def _answer(entry: Element, kind: str, ids: dict[Element, str]) -> tuple[Table, list[Table]]:
    """Social history and status: a question with its answer, or the answer alone where the question is understood."""
    asked, answered = child(entry, "code"), child(entry, "value")
    question = _codes(codes(asked)) if asked is not None else []
    answer = _codes(codes(answered)) if answered is not None else []
    templates = {each.get("root") for each in entry.iterchildren("{*}templateId")}
    what = next((questions()[kind, each["code"]] for each in question if (kind, each["code"]) in questions()), None)
    if _PREGNANCY in templates:
        what = "pregnancy"
    if answer and (what or not question or question[0]["code"] in _GENERAL):
        return {"code": answer[0]} | ({"kind": what} if what else {}), answer[1:]
    own: Table = {"code": question[0]} if question else {}
    value = _value(entry)
    own |= {} if value is None else {"value": value}
    if _ASSESSMENT in templates:
        ids[entry] = own["id"] = f"assessment-{len(ids) + 1}"
        own["kind"] = "assessment"
    around = next((ids[each] for each in entry.iterancestors() if each in ids), None)
    if _ANSWER in templates and around:
        own |= {"kind": "answer", "part_of": around}
    return own, question[1:]


def _measured(found: Found) -> float | str | None:
    """The value of a result or a vital sign; of a coded one what it is called."""
    if not table().of[found.kind].value or found.value is None:
        return None
    measured = number(found.value)
    return found.value if measured is None else measured


def _value(entry: Element) -> Table | float | str | None:
    value = child(entry, "value")
    if value is None or value.get("nullFlavor"):
        return None
    coded = _codes(codes(value))
    if local_type(value) in {"CD", "CE", "CO", "CV"}:
        return coded[0] if coded else value.get("displayName") or None
    said = value.get("value") or words(value)
    measured = number(said) if said else None
    return said or None if measured is None else measured


def _when(found: Found) -> Table:
    """Its dates; one that is only its author's is provenance, and the end of a goal the day it is due."""
    told = {"start": found.start, "end": found.end, "date": found.date}
    made = {key: text for key, days in told.items() if days and (text := moments.written(days))}
    if "author/time" in table().of[found.kind].dates and not _dated_itself(found.element):
        return {"provenance": {"time": time}} if (time := made.get("date") or made.get("start")) else {}
    if "start" in made or "end" in made:
        made.pop("date", None)
    if found.start and found.end and found.start.first and found.end.last and found.start.first > found.end.last:
        made.pop("end", None)
    if table().of[found.kind].due and "end" in made:
        made["due"] = made.pop("end")
    return made


def _dated_itself(entry: Element) -> bool:
    return any(any(span(each)) for each in entry.iterfind("{*}effectiveTime")) or any(
        any(span(each)) for each in entry.iterfind("{*}entryRelationship/{*}observation/{*}effectiveTime")
    )


def _details(found: Found) -> Table:
    """Dose, route, status and whatever else entries of the class may state."""
    known = {*classes()[found.kind].keys, "status"}
    made: Table = {}
    for key, manner in found.manners.items():
        said = found.detail(key)
        if key in known and said and (value := _said(said, manner, found.unit)) not in (None, {}, "", []):
            made[key] = value
    if found.unit and "unit" in known:
        made["unit"] = found.unit
    return made


def _said(every: Sequence[Said], manner: str, unit: str | None) -> Any:
    said = every[0]
    if manner == "telecoms":
        return [contacts.written_telecom(each.text, use_of(each.element)) for each in every]
    if manner == "code" or (manner == "reason" and said.codes):
        return next(iter(_codes(said.codes)), None)
    if manner == "quantity":
        measured = number(said.value)
        return None if measured is None else {"value": measured} | ({"unit": said.unit} if said.unit else {})
    if manner == "range" and said.unit and unit and said.unit != unit:
        return None  # bounds in another unit are none of the value
    if manner == "range":
        ends = {key: end for key, text in (("low", said.low), ("high", said.high)) if (end := number(text)) is not None}
        return ends or ({"text": said.text} if said.text else None)
    if manner == "status":
        return (said.text or next((code.code for code in said.codes), "")).casefold().replace(" ", "-")
    if manner in {"address", "fill"}:
        made = as_written(manner, said)
        return {key: value for key, value in made.items() if value not in (None, "", [])}
    return said.text or said.value or next((code.code for code in said.codes), None)
