"""The reference EHR's documents: a chart as a C-CDA R2.1 summary, as single categories, or as bare fragments."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from lxml import etree

from onc_conformance.reference import changes, falsified, misshapen, narrowed
from onc_conformance.reference.cda import header, sections
from onc_conformance.reference.cda.markup import el, stamp, template, unique, words
from onc_conformance.reference.cda.sections import Page, Section
from onc_conformance.reference.charts import Chart, days_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Window = tuple[date | None, date | None]

FAULTS = (
    frozenset(
        {
            "ccd-other-type",
            "ccd-template-missing",
            "ccd-code-wrong",
            "section-missing",
            "goals-missing",
            "goals-wrong-section",
            "health-concerns-missing",
            "plan-missing",
            "udi-missing",
            "narrative-missing",
        }
    )
    | falsified.FAULTS
    | misshapen.forms().keys()
    | narrowed.FAULTS
)
_XMLNS = ' xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_REALM = template("2.16.840.1.113883.10.20.22.1.1", "", "2015-08-01")
_REALM_GUIDE = template("2.16.840.1.113883.10.20.22.1.1", "2023-05-01")
_CCD = template("2.16.840.1.113883.10.20.22.1.2", "", "2015-08-01")
_REFERRAL = template("2.16.840.1.113883.10.20.22.1.14", "", "2015-08-01")
_CCD_CODE = ("34133-9", "Summarization of Episode Note")
_REFERRAL_CODE = ("57133-1", "Referral note")
_ALWAYS = (
    sections.ALLERGIES,
    sections.MEDICATIONS,
    sections.PROBLEMS,
    sections.PROCEDURES,
    sections.RESULTS,
    sections.SOCIAL_HISTORY,
    sections.VITAL_SIGNS,
    sections.IMMUNIZATIONS,
    sections.DEVICES,
    sections.ENCOUNTERS,
    sections.ASSESSMENT,
    sections.PLAN,
    sections.GOALS,
    sections.HEALTH_CONCERNS,
    sections.CARE_TEAM,
)
_WHERE_CHARTED = (
    sections.FUNCTIONAL_STATUS,
    sections.MENTAL_STATUS,
    sections.PAYERS,
    sections.REFERRALS,
    sections.DISCHARGE_INSTRUCTIONS,
)
_LEFT_OUT = {
    "section-missing": sections.PROBLEMS,
    "goals-missing": sections.GOALS,
    "health-concerns-missing": sections.HEALTH_CONCERNS,
    "plan-missing": sections.PLAN,
}
_INSTEAD = {
    "udi-missing": (sections.DEVICES, sections.DEVICES_UNIDENTIFIED),
    "goals-wrong-section": (sections.GOALS, replace(sections.GOALS, loinc="42348-3")),
    "narrative-missing": (sections.VITAL_SIGNS, replace(sections.VITAL_SIGNS, told=False)),
}
"""Sections that a fault writes in another way."""
_CATEGORIES: dict[str, tuple[Section, ...]] = {
    "smoking_status": (sections.SMOKING_STATUS,),
    "social_history": (sections.SOCIAL_HISTORY,),
    "problems": (sections.PROBLEMS,),
    "medications": (sections.MEDICATIONS,),
    "medication_allergies": (sections.ALLERGIES,),
    "laboratory_tests": (sections.RESULTS,),
    "laboratory_results": (sections.RESULTS,),
    "vital_signs": (sections.VITAL_SIGNS,),
    "procedures": (sections.PROCEDURES,),
    "care_team": (sections.CARE_TEAM,),
    "immunizations": (sections.IMMUNIZATIONS,),
    "udi": (sections.DEVICES,),
    "assessment": (sections.ASSESSMENT,),
    "plan": (sections.PLAN,),
    "assessment_plan": (sections.ASSESSMENT_AND_PLAN,),
    "goals": (sections.GOALS,),
    "health_concerns": (sections.HEALTH_CONCERNS,),
    "encounters": (sections.ENCOUNTERS,),
    "functional_status": (sections.FUNCTIONAL_STATUS,),
    "mental_status": (sections.MENTAL_STATUS,),
    "coverage": (sections.PAYERS,),
    "referrals": (sections.REFERRALS,),
    "discharge_instructions": (sections.DISCHARGE_INSTRUCTIONS,),
    "participants": (),  # whom a header names beside the patient comes with every header
}
_EMPTY = el("component", {}, el("section", {"nullFlavor": "NI"}, words("text", "The header holds what was asked for.")))
CATEGORIES = (*header.ITEMS, *_CATEGORIES, "notes")
"""Every category `fragment` and `category_document` can write."""


def document(
    chart: Chart,
    *,
    document_id: str,
    edition: str = "uscdi-v3",
    window: Window | None = None,
    faults: Collection[str] = frozenset(),
) -> bytes:
    """A Continuity of Care Document of what the chart has in the window; `faults` are ids of FAULTS, others pass by."""
    chart = falsified.for_document(chart, faults)
    shown = narrowed.narrowed(chart, window, faults)
    shown = changes.applied(shown, faults, "document window", window) if window else shown
    left_out = [_LEFT_OUT[fault] for fault in faults if fault in _LEFT_OUT]
    chosen = [*_ALWAYS, *sections.notes(shown), *(one for one in _WHERE_CHARTED if shown.of(one.kinds[0]))]
    kind, code = _type(faults)
    return _document(
        chart,
        _page(shown, edition, faults),
        [_as_faulty(section, faults) for section in chosen if section not in left_out],
        kind=kind,
        code=code,
        document_id=document_id,
        window=window,
        where="document",
        faults=faults,
    )


def _type(faults: Collection[str]) -> tuple[str, tuple[str, str]]:
    """Template and code."""
    if "ccd-other-type" in faults:
        return _REFERRAL, _REFERRAL_CODE
    return "" if "ccd-template-missing" in faults else _CCD, _REFERRAL_CODE if "ccd-code-wrong" in faults else _CCD_CODE


def category_document(
    chart: Chart,
    categories: Iterable[str],
    *,
    document_id: str | None = None,
    edition: str = "uscdi-v3",
    encounter: str | None = None,
    window: Window | None = None,
    faults: Collection[str] = frozenset(),
) -> bytes:
    """A document with the usual header and only the sections of `categories`; header items need no section."""
    asked = list(categories)
    chart = falsified.for_category(chart, faults)
    shown = _narrowed(chart, window, encounter, faults)
    chosen = {section.loinc: section for category in asked for section in _sections(shown, category)}
    return _document(
        chart,
        Page(shown, edition),
        chosen.values(),
        kind="",
        code=_CCD_CODE,
        document_id=document_id or unique(chart.id, *asked, encounter or "", *map(str, window or ())),
        window=window,
        where="category",
        faults=faults,
    )


def fragment(
    chart: Chart,
    category: str,
    *,
    edition: str = "uscdi-v3",
    encounter: str | None = None,
    window: Window | None = None,
    wrap: bool = False,
    faults: Collection[str] = frozenset(),
) -> bytes:
    """The `section` of one category, or for a header item a `recordTarget` with nothing else of the patient.

    Several kinds of notes are several sections, under one `structuredBody`. `wrap` makes it a ClinicalDocument.
    """
    if wrap or not _CATEGORIES.get(category, (category,)):
        return category_document(chart, [category], edition=edition, encounter=encounter, window=window, faults=faults)
    chart = falsified.for_category(chart, faults)
    shown = _narrowed(chart, window, encounter, faults)
    if category in header.ITEMS:
        return _serialized(header.record_target(chart, category), faults=faults)
    written = [section.write(Page(shown, edition)) for section in _sections(shown, category)]
    if len(written) == 1:
        return _serialized(written[0], faults=faults)
    return _serialized(el("structuredBody", {}, *(el("component", {}, section) for section in written)), faults=faults)


def _sections(chart: Chart, category: str) -> tuple[Section, ...]:
    if category in header.ITEMS:
        return ()
    if category == "notes":
        return tuple(sections.notes(chart))
    if category not in _CATEGORIES:
        raise ValueError(f"{category!r} is no category; expected one of {', '.join(CATEGORIES)}")
    return _CATEGORIES[category]


def _document(
    chart: Chart,
    page: Page,
    chosen: Iterable[Section],
    *,
    kind: str,
    code: tuple[str, str],
    document_id: str,
    window: Window | None,
    where: str,
    faults: Collection[str],
) -> bytes:
    guide = "" if page.edition == "uscdi-v1" else _REALM_GUIDE
    body = [el("component", {}, section.write(page)) for section in chosen] or [_EMPTY]
    head = header.header(
        chart,
        templates=_REALM + guide + kind,
        code=code,
        title=f"{code[1]}: {' '.join((*chart.given, chart.family))}",
        document_id=document_id,
        period=_period(chart, window),
    )
    content = head + el("component", {}, el("structuredBody", {}, *body))
    return _serialized(el("ClinicalDocument", {}, content), where=where, faults=faults, declared=True)


def _period(chart: Chart, window: Window | None) -> str:
    """What the document covers: the window asked for, else from the first charted day to the last."""
    days = chart.days() or [days_of(chart.birth_date)[0]]
    first, last = window or (None, None)
    low, high = (first or days[0]).isoformat(), (last or days[-1]).isoformat()
    return f'<effectiveTime><low value="{stamp(low)}"/><high value="{stamp(high)}"/></effectiveTime>'


def _narrowed(chart: Chart, window: Window | None, encounter: str | None, faults: Collection[str]) -> Chart:
    """The facts of the window and the encounter."""
    shown = narrowed.narrowed(chart, window, faults)
    shown = changes.applied(shown, faults, "category window", window) if window else shown
    return shown if encounter is None else shown.only(fact for fact in shown.facts if fact.encounter == encounter)


def _page(shown: Chart, edition: str, faults: Collection[str]) -> Page:
    """What sections are written from, the narrative from another chart where a fault says so."""
    return Page(shown, edition, changes.applied(shown, faults, "narrative"), changes.sayings(faults))


def _as_faulty(section: Section, faults: Collection[str]) -> Section:
    return next((other for fault, (own, other) in _INSTEAD.items() if fault in faults and own is section), section)


def _serialized(
    markup: str, *, where: str = "category", faults: Collection[str] = frozenset(), declared: bool = False
) -> bytes:
    """Markup as bytes to read: indented, with the namespaces on its root element, misshapen as the faults say."""
    cut = min(place for place in (markup.find(mark) for mark in (" ", ">", "/")) if place > 0)
    root = etree.fromstring(f"{markup[:cut]}{_XMLNS}{markup[cut:]}")
    misshapen.misshapen(root, where, faults)
    etree.indent(root)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=declared)
