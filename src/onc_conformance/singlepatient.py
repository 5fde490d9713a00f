"""What the suite makes of a FHIR server: the sentences about one patient's resources, as searches and findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from onc_conformance import judging
from onc_conformance.examination import Examination
from onc_conformance.fhir.told import Told
from onc_conformance.fhirwork import (
    capability,
    contents,
    demands,
    guidance,
    ledger,
    provenance,
    recall,
    refusals,
    searches,
)
from onc_conformance.fhirwork.asking import key
from onc_conformance.fhirwork.chart import Chart, Kept
from onc_conformance.fhirwork.searches import Search
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity
from onc_conformance.judging import present
from onc_conformance.record import Fact
from onc_conformance.reply import Reply
from onc_conformance.spoiling import never_issued

Judge = Callable[[Search, str], Iterable[Finding]]
UNKNOWN = "no-such-parameter"


def served(exam: Examination, kind: str) -> tuple[Chart, ...]:
    """The charts searches are made for, where the type has a place in this version of the guide and at the product."""
    if not demands.served(exam.us_core, kind):
        raise NotApplicable(f"US Core {exam.us_core.version} demands no {kind}")
    if kind in exam.fhir.table.without:
        raise NotTested(f"the description says that the product has no {kind}")
    return exam.sample


def of_type(exam: Examination, kind: str) -> list[Search]:
    """Every search of a type that the guide demands, and those that gather a patient's data of it."""
    charts = served(exam, kind)
    found: list[Search] = []
    for chart in charts:
        if kind in chart.kinds:
            gathering = [Search(chart, kind, each.parameters) for each in chart.gathered[kind]]
            found += [each for each in gathering if each.found().ok] or gathering[:1]
        found += searches.required(chart, kind)
        found += searches.respelt(chart, kind)
        found += searches.further(chart, kind)
        found += searches.foiled(chart, kind)
    found = list({(each.chart.subject.id, each.asked): each for each in found}.values())
    if not found:
        raise NotTested(f"no test patient has a {kind}")
    return found


def judged(found: Iterable[Search], judge: Judge, rule: str) -> Iterator[Finding]:
    """What `judge` says of each search: every error, and each piece of advice once."""
    yield from _told_once(finding for search in found for finding in judge(search, rule))


def _told_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Every error; of advice in the same words the first, with how often it holds elsewhere."""
    advice: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.severity is Severity.ERROR:
            yield finding
        else:
            advice.setdefault((finding.rule, finding.message.rpartition(": ")[2]), []).append(finding)
    for first, *more in advice.values():
        yield replace(first, message=f"{first.message} (and in {len(more)} more answers)") if more else first


def sampled(exam: Examination, rule: str) -> Iterator[Finding]:
    """For the reports: of whom all searches were made, where it was not of everybody."""
    if len(exam.sample) < len(charts := exam.charts()):
        names = ", ".join(chart.subject.id for chart in exam.sample)
        yield Finding(
            layer=Layer.API,
            severity=Severity.INFO,
            rule=rule,
            message=f"every search was made of {names}: the data of the other {len(charts) - len(exam.sample)}, "
            "gathered and read too, let no search be made that theirs do not",
        )


def evident(found: Sequence[Search]) -> None:
    """Raise NotTested where all the answers together hold nothing of the type that was searched for."""
    if not any(search.found().matches for search in found):
        kinds = ", ".join(dict.fromkeys(search.kind for search in found))
        raise NotTested(f"no test patient has a {kinds}" if kinds else "no test patient has data to search for")


def first_of_each(exam: Examination) -> list[Search]:
    """The first search the guide demands of each type the patients have."""
    found = [
        search
        for chart in exam.sample
        for kind in chart.kinds
        if chart.of(kind)
        for search in searches.required(chart, kind)[:1]
    ]
    if not found:
        raise NotTested("no resource of any test patient was found", "SH-PAT-2")
    return found


def all_demanded(exam: Examination) -> list[Search]:
    """Every search of every type that the guide demands."""
    return [each for chart in exam.sample for kind in chart.kinds for each in searches.required(chart, kind)]


def from_each(exam: Examination, make: Callable[[Chart, str], list[Search]], what: str) -> list[Search]:
    """The searches that `make` thinks of for each patient and type; NotTested where the data give rise to none."""
    found = [each for chart in exam.sample for kind in chart.kinds for each in make(chart, kind)]
    if not found:
        raise NotTested(f"no test patient has data for {what}")
    return found


def changed(found: Iterable[Search], change: Callable[[Search], Search | None]) -> list[tuple[Search, Search]]:
    """Each search with what `change` makes of it; those it makes nothing of are left out."""
    return [(each, other) for each in found if (other := change(each)) is not None]


def alike(both: Iterable[tuple[Search, Search]], rule: str) -> Iterator[Finding]:
    """Objections to second ways of asking that are not answered, or not alike."""
    answered = [(one, other) for one, other in both if one.found().ok]
    yield from judged((other for _, other in answered), searches.answered, rule)
    for one, other in answered:
        yield from searches.same(one, other, rule)


def short(search: Search) -> Search:
    """The same in pages of two."""
    return Search(search.chart, search.kind, (*search.asked, ("_count", "2")))


def odd(exam: Examination) -> list[Search]:
    """The first search of each type with a parameter that no server knows."""
    return [Search(each.chart, each.kind, (*each.asked, (UNKNOWN, "1"))) for each in first_of_each(exam)]


def with_provenance(exam: Examination, kind: str | None = None) -> list[Search]:
    """Searches of a type, or of each, that ask for Provenance."""
    charts = served(exam, kind) if kind else exam.sample
    found = [
        s for chart in charts for each in ([kind] if kind else chart.kinds) for s in provenance.searches(chart, each)
    ]
    if not found and kind and not demands.provenance(exam.us_core, kind):
        raise NotApplicable(f"US Core {exam.us_core.version} demands no Provenance of {kind}")
    if not found:
        raise NotTested(f"no test patient has {'a ' + kind if kind else 'data'}")
    return found


def gathered(exam: Examination, kind: str) -> list[tuple[Chart, list[Kept]]]:
    """The resources of a type, by patient; NotTested where there are none."""
    if not demands.profiled(exam.us_core, kind):
        raise NotApplicable(f"US Core {exam.us_core.version} has no profile of {kind}")
    if kind in exam.fhir.table.without:
        raise NotTested(f"the description says that the product has no {kind}")
    found = [(chart, [kept for kept in chart.pool.values() if kept.key[0] == kind]) for chart in exam.charts()]
    if not any(kept for _, kept in found):
        needed = {profile.type for profile in ledger.needed(exam.us_core)}
        if kind not in needed or kind == "Medication":
            raise NotApplicable(f"no test patient has a {kind}, and none needs one")
        raise NotTested(f"no test patient has a {kind}")
    return found


def formed(resources: Iterable[tuple[Chart, Iterable[Kept]]]) -> Iterator[Finding]:
    """Every error in the form of each resource; of all advice each rule once, with how often it holds elsewhere."""
    advice: dict[str, list[Finding]] = {}
    done: set[tuple[str, str]] = set()
    for chart, several in resources:
        fresh = [kept for kept in several if kept.key not in done]
        done |= {kept.key for kept in fresh}
        for finding in contents.valid(chart, fresh):
            if finding.severity is Severity.ERROR:
                yield finding
            else:
                advice.setdefault(finding.rule, []).append(finding)
    for first, *more in advice.values():
        yield replace(first, message=f"{first.message} (and at {len(more)} more places)") if more else first


def readable(exam: Examination) -> list[tuple[Chart, list[Kept]]]:
    """The patients' own resources, and the first Provenance of each type."""
    found = [(chart, list(chart.own.values())) for chart in exam.charts()]
    for search in with_provenance(exam) if exam.fhir.table.provenance else ():
        found += [(search.chart, [Kept(e.resource, e.page, e.place)]) for e in provenance.came(search)[:1]]
    return found


def kept_ledger(exam: Examination) -> ledger.Ledger:
    """The must-support ledger over all test patients."""
    pool = {kept.key: kept for chart in exam.charts() for kept in chart.pool.values()}
    for each in with_provenance(exam) if exam.fhir.table.provenance else ():
        found = {e.key: Kept(e.resource, e.page, e.place) for e in provenance.came(each)}
        pool |= found
    kinds = {kind for kind in exam.us_core.searches if kind not in exam.fhir.table.without}
    return ledger.keep(pool.values(), exam.us_core, kinds)


def shown(book: ledger.Ledger) -> None:
    """Raise NotTested, naming them, where profiles have no resource at all."""
    if book.without:
        names = ", ".join(profile.id for profile in book.without)
        raise NotTested(f"no test patient has a resource of {names}; enter one of each")


def closed(gaps: Sequence[Finding], what: str) -> None:
    """Raise NotTested where something was not shown: data are to be entered, not software to be mended."""
    if gaps:
        places = ", ".join(dict.fromkeys(str(gap.path) for gap in gaps[:5]))
        raise NotTested(f"no test patient shows {len(gaps)} {what}, {places} among them; warnings say what to enter")


def medications(exam: Examination, kind: str) -> list[Search]:
    """Searches of a type that ask for the medications it refers to; NotApplicable where nothing refers to one."""
    served(exam, kind)
    found = [search for chart in exam.charts() for search in searches.including(chart, f"{kind}:medication")]
    if not found:
        raise NotApplicable(f"every medication is a code in the {kind}, none a resource of its own")
    return found


def declared_includes(exam: Examination) -> list[Search]:
    """Searches for what US Core advises to bring along and the server says it does; NotApplicable for none."""
    stated = capability.resources(exam.capabilities())
    found: list[Search] = []
    for kind, guided in exam.us_core.searches.items():
        advised = {":".join(name.split(":")[:2]) for name in guided["includes"]}
        declared = {str(each) for each in stated.get(kind, {}).get("searchInclude") or ()}
        for include in sorted(advised & {":".join(name.split(":")[:2]) for name in declared}):
            found += [search for chart in exam.sample for search in searches.including(chart, include)]
    if not found:
        raise NotApplicable("the server declares no _include that US Core advises and the data give rise to")
    return found


def absent(found: Sequence[str], how: str) -> None:
    """Raise NotTested where nothing says that its data are missing."""
    if not found:
        raise NotTested(f"no resource of any test patient says by {how} that data are missing; enter one that does")


def unknown_searches(exam: Examination) -> list[Search]:
    """Searches of each type for an id that was never issued."""
    chart = exam.charts()[0]
    return refusals.of_another(chart, never_issued(chart.id)[:60])


def foreign_searches(exam: Examination) -> list[Search]:
    """Searches in one patient's session for another test patient."""
    charts = exam.charts()
    others = [chart for chart in charts[1:] if chart.id != charts[0].id]
    if not others:
        raise NotApplicable("two test patients with different ids are needed")
    return refusals.of_another(charts[0], others[0].id)


def recorded(exam: Examination) -> list[Chart]:
    """The charts of patients with an expected record; NotApplicable where nobody wrote one down."""
    found = [chart for chart in exam.charts() if recall.required(chart)]
    if not found:
        raise NotApplicable("nobody wrote down what to expect")
    return found


def reconciled(exam: Examination, replies: Iterable[Reply], rule: str) -> Iterator[Finding]:
    """A warning for each fact of the record that only the document tells, or only a resource; both exchanges named."""
    charts = {chart.subject.id: chart for chart in exam.charts()}
    for reply in replies:
        chart = charts.get(reply.subject.id)
        if chart is None or not reply.readable:
            continue
        told = set(present(reply.documents, reply.subject.record))
        for fact in recall.required(chart):
            kept = recall.teller(chart, fact)
            if fact in told and kept is None:
                message = f"{fact.kind}: exchange {reply.exchange} tells it in a document, and no resource does"
                yield recall.absent(chart, fact, rule, message, Severity.WARNING)
            elif fact not in told and kept is not None:
                yield reply.objection(
                    rule,
                    f"{fact.kind}: {kept.name} of exchange {kept.got.exchange.id} tells it, and the document does not",
                    severity=Severity.WARNING,
                    layer=Layer.CONTENT,
                    expected=str(fact),
                    found=f"only {kept.name} has it",
                )


def told_alike(exam: Examination, reply: Reply, rule: str) -> list[Finding]:
    """Facts that a document and the resources of its patient do not tell alike.

    Raises NotTested where the resources could not all be had.
    """
    chart = next(chart for chart in exam.charts() if chart.subject.id == reply.subject.id)
    failed = [found for searches in chart.gathered.values() for found in searches if not found.ok]
    if failed:
        raise NotTested(f"{failed[0].first.request} was not answered")
    guide = guidance.told()
    served = {kind for kind, types in guide["facts"].items() if set(types) & set(chart.kinds)}
    served -= set(guide["apart"]["kinds"])

    def source(item: Fact | Told) -> str:
        if isinstance(item, Told):
            return chart.pool[key(item.resource)].got.exchange.id
        types = (kind for kind in guidance.told()["facts"][item.kind] if kind in chart.gathered)
        return chart.gathered[next(types)][0].first.exchange.id

    return judging.dissent(
        reply.documents,
        chart.account.told,
        reply.subject.record,
        served,
        carried=lambda fact: recall.carried(chart, fact),
        source=source,
        rule=rule,
    )
