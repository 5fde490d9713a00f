"""What a document must be and must have, whoever's it is: its type, its sections, where devices stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance import uscdi
from onc_conformance.ccda import CCD, SUMMARY, Document
from onc_conformance.ccda.document import title_of_section
from onc_conformance.ccda.tree import child, name
from onc_conformance.findings import Finding, Layer, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onc_conformance.record import Record

PRODUCT_INSTANCE = "2.16.840.1.113883.10.20.22.4.37"
PROCEDURE_ACTIVITY = "2.16.840.1.113883.10.20.22.4.14"
ASSESSMENT_AND_PLAN, ASSESSMENT, PLAN = "51847-2", "51848-0", "18776-5"
CDA_R2 = ("2.16.840.1.113883.1.3", "POCD_HD000040")
ANY_NOTE = "34109-9"
"""A Notes section bears the code of whatever kind of note it holds."""
GOALS, HEALTH_CONCERNS = "61146-7", "75310-3"


def document_type(doc: Document, *, rule: str = "DOCUMENT-TYPE") -> list[Finding]:
    """Errors unless it is a Continuity of Care Document by template and LOINC code; the title proves nothing."""
    if doc.root is None:
        return list(doc.findings)
    wrong: list[tuple[str, str, str]] = []
    if not doc.is_whole:
        wrong.append(("a fragment came back, not a document", "a Continuity of Care Document", doc.type))
    else:
        if CCD not in {root for root, _ in doc.templates}:
            wrong.append(("the CCD template is not declared", f"templateId {CCD}", doc.type))
        if doc.loinc != SUMMARY:
            wrong.append(("the document's code is not that of a CCD", f"code {SUMMARY}", f"code {doc.loinc}"))
    return [
        doc.finding(
            None, layer=Layer.TEMPLATE, severity=Severity.ERROR, rule=rule, message=said, expected=expected, found=found
        )
        for said, expected, found in wrong
    ]


def declarations(doc: Document, *, rule: str | None = None) -> list[Finding]:
    """Errors where a document says two things at once: no typeId of CDA R2, a section's template and another code."""
    if doc.root is None or not doc.is_whole:
        return list(doc.findings)
    findings: list[Finding] = []
    declared = child(doc.root, "typeId")
    if declared is None or (declared.get("root"), declared.get("extension")) != CDA_R2:
        findings.append(
            doc.finding(
                declared,
                layer=Layer.TEMPLATE,
                severity=Severity.ERROR,
                rule=rule or "1198-5361",
                message="the document does not declare itself a CDA R2 document",
                expected=f"typeId root {CDA_R2[0]} extension {CDA_R2[1]}",
                found="none"
                if declared is None
                else f"root {declared.get('root')} extension {declared.get('extension')}",
            )
        )
    findings += [
        doc.finding(
            section.element,
            layer=Layer.TEMPLATE,
            severity=Severity.ERROR,
            rule=rule or "SECTION-CODE",
            message=f"a section declares the template of {title_of_section(section.loinc)} and another code",
            expected=f"code {section.loinc}",
            found=f"code {section.code}",
        )
        for section in doc.sections
        if section.loinc and section.code and section.loinc not in {section.code, ANY_NOTE}
    ]
    return findings


def required_sections(doc: Document, *, rule: str | None = None) -> list[Finding]:
    """An error for each section the CCD template demands that is missing by LOINC code and by template.

    A warning where immunizations or procedures have none: silence is not the same as nothing to tell.
    """
    if doc.root is None:
        return list(doc.findings)
    findings: list[Finding] = []
    for section in uscdi.sections().values():
        if section.ccd:
            findings += _missing(doc, [section.loinc], rule or section.ccd, Severity.ERROR)
        elif section.loinc in {"47519-4", "11369-6"}:
            findings += _missing(doc, [section.loinc], rule or "SECTION-EXPECTED", Severity.WARNING)
    return findings


def assessment_plan_sections(doc: Document, record: Record | None = None, *, rule: str = "SECTION-AP") -> list[Finding]:
    """An error unless it has an Assessment and Plan section, or both an Assessment and a Plan of Treatment section.

    A warning where such a section does not declare the version that the regulation names.
    """
    if doc.root is None:
        return list(doc.findings)
    if not _missing(doc, [ASSESSMENT_AND_PLAN], rule, Severity.ERROR):
        return _other_version(doc, ASSESSMENT_AND_PLAN, rule)
    severity = _severity(record, "assessment_plan")
    missing = _missing(doc, [ASSESSMENT], rule, severity) + _missing(doc, [PLAN], rule, severity)
    return missing + _other_version(doc, PLAN, rule)


def goals_section(doc: Document, record: Record | None = None, *, rule: str = "SECTION-GOALS") -> list[Finding]:
    """An error unless it has a Goals section; a warning if the record has no goals."""
    return _one(doc, GOALS, rule, _severity(record, "goals"))


def health_concerns_section(doc: Document, record: Record | None = None, *, rule: str = "SECTION-HC") -> list[Finding]:
    """An error unless it has a Health Concerns section; a warning if the record has no health concerns."""
    return _one(doc, HEALTH_CONCERNS, rule, _severity(record, "health_concerns"))


def device_placement(doc: Document, record: Record | None = None, *, rule: str = "DEVICE-PLACEMENT") -> list[Finding]:
    """Errors for identifiers of devices that no Product Instance within a Procedure Activity Procedure carries.

    Those of the record are looked for, and those the document itself gives elsewhere.
    """
    if doc.root is None:
        return list(doc.findings)
    devices = [fact for fact in doc.facts if fact.kind == "udi"]
    placed = {udi for fact in devices if _within_procedure(fact.element) for udi in fact.udi}
    findings = [
        doc.finding(
            fact.element,
            layer=Layer.USCDI,
            severity=Severity.ERROR,
            rule=rule,
            message="the identifier of a device stands outside a Procedure Activity Procedure",
            expected=f"Product Instance within a procedure with templateId {PROCEDURE_ACTIVITY}",
            found=", ".join(fact.udi),
        )
        for fact in devices
        if fact.udi and not placed.intersection(fact.udi)
    ]
    given = {udi for fact in devices for udi in fact.udi}
    for fact in record.of("udi") if record else ():
        udi = fact.attributes.get("udi")
        if fact.required and udi and udi not in given:
            findings.append(
                doc.finding(
                    None,
                    layer=Layer.USCDI,
                    severity=Severity.ERROR,
                    rule=rule,
                    message="the identifier of an implanted device is in no Product Instance",
                    expected=str(udi),
                    found="none" if not given else f"{len(given)} of other devices",
                )
            )
    return findings


def _severity(record: Record | None, kind: str) -> Severity:
    return Severity.WARNING if record and record.facts and not record.of(kind) else Severity.ERROR


def _one(doc: Document, loinc: str, rule: str, severity: Severity) -> list[Finding]:
    return list(doc.findings) if doc.root is None else _missing(doc, [loinc], rule, severity)


def _missing(doc: Document, loincs: Iterable[str], rule: str, severity: Severity) -> list[Finding]:
    findings: list[Finding] = []
    for loinc in loincs:
        if loinc in doc.section_codes:
            continue
        lookalike = next((section for section in doc.sections if section.loinc == loinc), None)
        if lookalike and not lookalike.code:
            continue  # found by its template; that its code is missing is told by the template's own rules
        findings.append(
            doc.finding(
                lookalike.element if lookalike else None,
                layer=Layer.USCDI,
                severity=severity,
                rule=rule,
                message=f"the section {title_of_section(loinc)} is missing",
                expected=f"a section with code {loinc}",
                found=f"its template with code {lookalike.code}" if lookalike else None,
            )
        )
    return findings


def _other_version(doc: Document, loinc: str, rule: str) -> list[Finding]:
    known = uscdi.sections()[loinc]
    section = next((each for each in doc.sections if each.loinc == loinc), None)
    if section is None or known.version is None:
        return []
    declared = {
        each.get("extension") or "none"
        for each in section.element.iterchildren("{*}templateId")
        if each.get("root") in known.templates
    }
    if known.version in declared:
        return []
    return [
        doc.finding(
            section.element,
            layer=Layer.USCDI,
            severity=Severity.WARNING,
            rule=rule,
            message=f"the section {title_of_section(loinc)} does not declare the version the regulation names",
            expected=f"templateId {known.templates[0]} extension {known.version}",
            found=f"extension {', '.join(sorted(declared))}" if declared else "no such templateId",
        )
    ]


def _within_procedure(element: object) -> bool:
    return any(
        name(around) == "procedure"
        and any(each.get("root") == PROCEDURE_ACTIVITY for each in around.iterchildren("{*}templateId"))
        for around in element.iterancestors()  # type: ignore[attr-defined]
    )
