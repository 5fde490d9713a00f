"""What a document says of its own templates: extensions nobody published, sections that leave their template out."""

from __future__ import annotations

from collections.abc import Container
from typing import TYPE_CHECKING

from onc_conformance.ccda.rulebook import Rulebook, rulebook
from onc_conformance.findings import Finding, Layer, Severity

if TYPE_CHECKING:
    from onc_conformance.ccda.document import Document
    from onc_conformance.ccda.tree import Element

_CDA = "{urn:hl7-org:v3}"
_LOINC = "2.16.840.1.113883.6.1"
_CCDA = "2.16.840.1.113883.10.20.22."
"""Roots that only C-CDA gives; of others, another guide may have published the extension."""


def check(doc: Document) -> list[Finding]:
    """`TEMPLATE-EXTENSION` and `TEMPLATE-MISSING` findings."""
    if doc.root is None:
        return []
    known = rulebook()
    return [*_extensions(doc, doc.root, known), *_sections(doc, doc.root, known)]


def _judged_beside(template_id: Element, root: str, published: Container[str | None]) -> bool:
    """Whether the same element declares another release of the template, one whose rules are known."""
    bearer = template_id.getparent()
    return any(
        each.get("root") == root and each.get("extension") and each.get("extension") in published
        for each in (bearer.iterchildren(f"{_CDA}templateId") if bearer is not None else ())
    )


def _extensions(doc: Document, root: Element, known: Rulebook) -> list[Finding]:
    """A templateId of a known root whose extension is not one whose rules are known, unless another one there is."""
    found = []
    for each in root.iter(f"{_CDA}templateId"):
        root_id, extension = each.get("root") or "", each.get("extension")
        published = known.extensions.get(root_id)
        if not extension or published is None or extension in published or _judged_beside(each, root_id, published):
            continue
        release = known.releases.get(extension)
        judged = sorted(filter(None, published))
        ours = root_id.startswith(_CCDA)
        given = f"the extension of {release}" if release else "an extension no known release gave it"
        consequence = (
            "it is judged as C-CDA R2.1 has it" if None in published else "the rules it brought are not judged"
        )
        found.append(
            doc.finding(
                each,
                layer=Layer.TEMPLATE,
                severity=Severity.WARNING if ours and not release else Severity.INFO,
                rule="TEMPLATE-EXTENSION",
                message=f"{known.title(root_id)} has {given}: {consequence}",
                expected=" or ".join(f'"{date}"' for date in judged) or "no extension",
                found=f'"{extension}"',
                hint="declare the release the entry follows; several templateIds may stand side by side",
            )
        )
    return found


def _sections(doc: Document, root: Element, known: Rulebook) -> list[Finding]:
    """A section with the code of a section template that does not declare that template."""
    found = []
    for section in root.iter(f"{_CDA}section"):
        code = section.find(f"{_CDA}code")
        if code is None or code.get("codeSystem") != _LOINC:
            continue
        roots = known.sections.get(code.get("code") or "", frozenset())
        declared = {each.get("root") for each in section.iterchildren(f"{_CDA}templateId")}
        if not roots or declared & roots:
            continue
        titles = sorted({known.title(each) for each in roots})
        found.append(
            doc.finding(
                section,
                layer=Layer.TEMPLATE,
                severity=Severity.WARNING,
                rule="TEMPLATE-MISSING",
                message=f"the section with code {code.get('code')} does not declare its template, so it goes unjudged",
                expected=f"the templateId of {' or '.join(titles)} ({' or '.join(sorted(roots))})",
                found=", ".join(sorted(filter(None, declared))) or "no templateId",
                hint="add the templateId with the extension of the release the section follows",
            )
        )
    return found
