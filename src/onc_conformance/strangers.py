"""What the suite makes of tokens for one patient before another's data, and of requests with no good token."""

from __future__ import annotations

from collections.abc import Iterator

from onc_conformance.examination import Examination
from onc_conformance.fhirwork.asking import Got, key
from onc_conformance.fhirwork.chart import Chart, whose
from onc_conformance.findings import Finding, NotApplicable
from onc_conformance.lifecycle import outdated
from onc_conformance.scoped import REFUSED, entries
from onc_conformance.smartwork import denials
from onc_conformance.smartwork.launches import Launch
from onc_conformance.smartwork.objections import uncertain
from onc_conformance.smartwork.trials import NEVER_ISSUED

_SHOWN = "token for another patient"


def foreign(exam: Examination, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a token for one patient that opens another's data: by reading, and by every way of searching."""
    smart, token, patient = exam.smart, launch.given().access_token, launch.plan.chosen.patient
    other = next((chart for chart in exam.charts() if chart.id != patient), None)
    if other is None:
        raise NotApplicable("two test patients with different ids are needed")
    read = smart.read(token, f"Patient/{other.id}", shown=_SHOWN)
    yield from denials.no_data(read.exchange, "another patient, by reading", rule, (*REFUSED, 404))
    posted = exam.fhir.table.post
    for kind in other.kinds:
        kept = next((each for each in other.of(kind)), None)
        if kept is None:
            continue
        if kind != "Patient":
            got = smart.read(token, kept.name, shown=_SHOWN)
            yield from denials.no_data(got.exchange, f"another patient's {kind}, by reading", rule, (*REFUSED, 404))
        asked = other.gathered[kind][0].parameters
        ways = {"": smart.read(token, kind, asked, shown=_SHOWN)}
        if posted:
            ways[", by POST"] = smart.read(token, kind, asked, shown=_SHOWN, form=True)
        if kind == "Condition":
            ways[", where no patient is named"] = smart.read(token, kind, shown=_SHOWN)
        for way, found in ways.items():
            yield from _leaked(found, f"another patient's {kind}{way}", patient, other, rule)


def _leaked(found: Got, what: str, patient: str, other: Chart, rule: str) -> Iterator[Finding]:
    theirs = [each for each in entries(found) if key(each) in other.own or whose(each) not in {None, patient}]
    if theirs:
        yield found.objection(
            rule,
            f"a token for one patient finds {what}",
            expected="a refusal, or nothing",
            found=f"{len(theirs)} entries, {'/'.join(key(theirs[0]))} among them",
        )
    elif not found.ok:
        yield from denials.unfit(found.exchange, what, rule, "a refusal")


TOKENS = ("no token", "a token that was never given out", "a token that has run out")


def stranger(exam: Examination, what: str) -> Got:
    """A read of the Patient with no token or one that is not good."""
    patient = exam.id_of(exam.identified()[0])
    token = {"no token": "", "a token that was never given out": NEVER_ISSUED}.get(what)
    if token is None:
        token = outdated(exam)
    return exam.smart.read(token, f"Patient/{patient}", shown=what, again=True)


def turned_away(got: Got, what: str, rule: str) -> Iterator[Finding]:
    """Objections to an answer to somebody without a good token (RFC 6750, 3)."""
    yield from denials.no_data(got.exchange, f"a request with {what}", rule, (401,))
    if got.exchange.status == 401 and not got.exchange.header("www-authenticate"):
        yield uncertain(
            got.exchange,
            rule,
            f"a request with {what}: the refusal does not say how to be let in",
            expected="a WWW-Authenticate header",
            found="none",
        )
