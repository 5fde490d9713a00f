"""What the suite makes of scopes for parts of resources: each opens its category, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from onc_conformance.access.scopes import parse
from onc_conformance.authorization import PARTS
from onc_conformance.examination import Examination
from onc_conformance.fhirwork.asking import Got
from onc_conformance.findings import Finding, NotApplicable, NotTested
from onc_conformance.scoped import REFUSED, chart_of, entries, for_one
from onc_conformance.smartwork import denials


@dataclass(frozen=True)
class Part:
    """A token for one category of one type."""

    kind: str
    code: str
    scope: str
    token: str


def parts(exam: Examination) -> list[Part]:
    """A token for each category that US Core divides Conditions and Observations by, alone."""
    smart, trials = exam.smart, exam.trials
    smart.needs("permission-v2", "permission-granular")
    if smart.version == "1.0.0":
        raise NotApplicable("SMART App Launch 1.0 knows no scopes for parts of resources")
    found = []
    for kind, codes in PARTS.items():
        for code in codes:
            scope = f"patient/{kind}.rs?category={code}"
            launch = trials.fresh(name=f"for {scope}", resources=scope)
            granted = [each for each in launch.given().scopes if parse(each)]
            if not granted:
                continue  # which is told where granting is judged
            found.append(Part(kind, code, scope, launch.given().access_token))
    if not found:
        raise NotTested("no scope for a part of a resource was granted", "AUT-PAT-33")
    return found


def parts_closed(exam: Examination, found: Sequence[Part], rule: str) -> Iterator[Finding]:
    """Objections to what a scope for one category opens beyond it, in searches and by reading."""
    chart = chart_of(exam, for_one(exam).plan.chosen.patient)
    for part in found:
        other = [each for each in chart.of(part.kind) if part.code not in _categories(each.resource)]
        search = exam.smart.read(
            part.token,
            part.kind,
            (("patient", chart.id), ("category", part.code)),
            shown=f"token for {part.scope}",
        )
        if not search.ok:
            yield search.objection(
                rule, f"{part.scope} was granted and opens nothing", expected="a Bundle", found=search.said
            )
        whole = exam.smart.read(part.token, part.kind, (("patient", chart.id),), shown=f"token for {part.scope}")
        yield from _leaked(part, whole, rule)
        for kept in other[:1]:
            read = exam.smart.read(part.token, kept.name, shown=f"token for {part.scope}")
            what = f"{kept.name}, which is not of that category, with a token for {part.scope} alone"
            yield from denials.no_data(read.exchange, what, rule, (*REFUSED, 404))


def _leaked(part: Part, got: Got, rule: str) -> Iterator[Finding]:
    for resource in entries(got):
        if resource["resourceType"] == part.kind and part.code not in _categories(resource):
            yield got.objection(
                rule,
                f"a token for {part.scope} alone finds what is not of that category",
                expected=part.code,
                found=f"{part.kind}/{resource.get('id')}",
            )
            return


def _categories(resource: Mapping[str, object]) -> set[str]:
    told = resource.get("category")
    codings = [
        coding
        for each in (told if isinstance(told, list) else ())
        if isinstance(each, dict)
        for coding in each.get("coding", ())
        if isinstance(coding, dict)
    ]
    return {f"{coding.get('system')}|{coding.get('code')}" for coding in codings}
