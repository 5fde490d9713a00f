"""What the suite makes of scopes: what a user chose is granted, each grant opens its own door, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onc_conformance.access.forms import words_of
from onc_conformance.access.parameters import Parameters
from onc_conformance.access.scopes import lacking, parse
from onc_conformance.examination import Examination
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.chart import Chart
from onc_conformance.fhirwork.parameters import Resource
from onc_conformance.findings import Finding, NotTested
from onc_conformance.smartwork import denials
from onc_conformance.smartwork.launches import Launch
from onc_conformance.smartwork.objections import objection

CHOSEN = ("Patient", "Condition", "Observation")
"""The types a user grants who is asked for all."""
REFUSED = (401, 403)
_CHOICE = "choice"


@dataclass(frozen=True)
class Door:
    """A request that only a scope for its type opens."""

    kind: str
    path: str
    parameters: Parameters
    name: str
    """Type/id of a resource of that type."""


@dataclass(frozen=True)
class Key:
    """An access token and the one scope for resources it is good for."""

    scope: str
    kind: str
    token: str


# what the user chose


def chosen(exam: Examination) -> Launch:
    """An app that asks for every type and offline access, and is granted a few types and nothing for later.

    Raises NotTested where the login pages offer no choice of scopes.
    """
    trials = exam.trials
    asked = trials.plan().request.scopes
    grant = [each for each in asked if each != "offline_access" and _kind(each) in (None, *CHOSEN)]
    launch = trials.fresh(name=_CHOICE, grant=grant)
    arrival = launch.arrived()
    if not any(seen.page.scopes for seen in arrival.seen):
        raise NotTested("no page of smart.login.patient says where the user chooses among scopes (scopes)")
    return launch


def as_chosen(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to scopes that are not what the user chose."""
    answer = launch.given()
    if not answer.scopes:
        raise NotTested(f"{launch.title}: the answer does not say what was granted", "AUT-PAT-35")
    granted = [each for each in answer.scopes if parse(each)]
    wanted = [each for each in launch.request.scopes if _kind(each) in CHOSEN]
    extra, missing = lacking(granted, wanted), lacking(wanted, granted)
    if extra:
        yield objection(
            answer.exchange,
            rule,
            "scopes are granted that the user did not choose",
            path="$.scope",
            expected=" ".join(wanted),
            found=" ".join(extra),
        )
    if missing:
        yield objection(
            answer.exchange,
            rule,
            "scopes that the user chose are not granted",
            path="$.scope",
            expected=" ".join(wanted),
            found=f"without {' '.join(missing)}",
        )


def others_closed(exam: Examination, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to types of resources that open though the user did not choose them."""
    chart = chart_of(exam, launch.plan.chosen.patient)
    token = launch.given().access_token
    granted = {_kind(each) for each in launch.given().scopes}
    for door in doors(exam, chart):
        if door.kind not in CHOSEN:
            what, shown = f"{door.kind}, which the user did not choose", "token for what the user chose"
            got = exam.smart.read(token, door.path, door.parameters, shown=shown)
            yield from denials.no_data(got.exchange, what, rule, REFUSED)
            if door.parameters and door.name:
                read = exam.smart.read(token, door.name, shown=shown)
                yield from denials.no_data(read.exchange, f"{what}, by reading", rule, (*REFUSED, 404))
        elif door.kind in granted:
            yield from _opens(exam, Key(door.kind, door.kind, token), door, rule)


def offline_offered(exam: Examination, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to pages on which the user neither decides on offline access nor is told of it."""
    exam.smart.needs("permission-offline")
    arrival = launch.arrived()
    for seen in arrival.seen:
        if seen.page.scopes and "offline_access" in seen.form.values(seen.page.scopes):
            return
    told = " ".join(words_of(seen.exchange, 20_000) for seen in arrival.seen)
    if "offline" not in told.lower():
        yield objection(
            arrival.seen[-1].exchange if arrival.seen else arrival.last,
            rule,
            "the user neither decides on offline access nor is told of it",
            expected="a check box for offline_access, or words about it",
            found="neither on any page of the login",
        )


def nothing_for_later(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a refresh token, or the scope for it, though the user did not choose offline access."""
    answer = launch.given()
    if answer.refresh_token and "online_access" not in answer.scopes:
        yield objection(
            answer.exchange, rule, "a refresh token comes though the user refused offline access", expected="none"
        )
    if "offline_access" in answer.scopes:
        yield objection(answer.exchange, rule, "offline access is granted though the user refused it", path="$.scope")


# each scope and its door


def doors(exam: Examination, chart: Chart) -> list[Door]:
    """A request for each type that was asked for: a search within the patient's data, or the read of a resource."""
    found = []
    for kind in exam.smart.types:
        kept = next((each for each in chart.pool.values() if each.key[0] == kind), None)
        if kind in chart.kinds and chart.gathered.get(kind):
            found.append(Door(kind, kind, chart.gathered[kind][0].parameters, kept.name if kept else ""))
        elif kept:
            found.append(Door(kind, kept.name, (), kept.name))
    return found


def keys(exam: Examination) -> list[Key]:
    """An access token for each type alone: by refreshing for it alone, or by a launch where that does not work."""
    trials, smart = exam.trials, exam.smart
    launch = for_one(exam)
    answer = launch.given()
    found = []
    for scope in answer.scopes:
        kind = _kind(scope)
        if kind is None or kind == "*":
            continue
        token = ""
        if answer.refresh_token:
            latest = smart.latest(answer.refresh_token)
            refreshed = trials.once(
                f"refresh for {scope}",
                lambda scope=scope, latest=latest: smart.refresh(  # type: ignore[misc]
                    launch.plan.app, latest, scope=scope, purpose=f"refresh for {scope} alone"
                ),
            )
            alone = refreshed.given and not [each for each in lacking(refreshed.scopes, [scope]) if parse(each)]
            token = refreshed.access_token if alone else ""
        if not token:
            again = trials.fresh(name=f"for {scope}", resources=scope)
            if lacking([each for each in again.given().scopes if parse(each)], [scope]):
                raise NotTested(f"a token for {scope} alone is not to be had")
            token = again.given().access_token
        found.append(Key(scope, kind, token))
    if not found:
        raise NotTested("no scope for a single type of resources was granted", "AUT-PAT-33")
    return found


def matrix(exam: Examination, found: Sequence[Key], rule: str) -> Iterator[Finding]:
    """Objections to doors that their own scope does not open, or another's does."""
    chart = chart_of(exam, for_one(exam).plan.chosen.patient)
    every = doors(exam, chart)
    for number, key in enumerate(found, 1):
        leaks: list[Finding] = []
        shown = f"token for {key.scope}"
        for place, door in enumerate(every):
            if door.kind == key.kind:
                yield from _opens(exam, key, door, rule)
                leaks += _brought_along(exam, key, door, rule)
                continue
            what = f"{door.kind} with a {shown} alone"
            got = exam.smart.read(key.token, door.path, door.parameters, shown=shown)
            leaks += denials.no_data(got.exchange, what, rule, REFUSED)
            if place == number % len(every) and door.parameters and door.name:  # each type is read with one other key
                read = exam.smart.read(key.token, door.name, shown=shown)
                leaks += denials.no_data(read.exchange, f"{what}, by reading", rule, (*REFUSED, 404))
        yield from leaks


def _opens(exam: Examination, key: Key, door: Door, rule: str) -> Iterator[Finding]:
    got = exam.smart.read(key.token, door.path, door.parameters, shown=f"token for {key.scope}")
    if not got.ok:
        yield got.objection(
            rule, f"{key.scope} was granted and does not open {door.kind}", expected="HTTP 200", found=got.said
        )


def _brought_along(exam: Examination, key: Key, door: Door, rule: str) -> Iterator[Finding]:
    """Objections to resources of other types that come along with what a scope opens."""
    if not door.parameters or not exam.fhir.table.provenance:
        return
    asked = (*door.parameters, ("_revinclude", "Provenance:target"))
    got = exam.smart.read(key.token, door.path, asked, shown=f"token for {key.scope}")
    strange = [f"{each['resourceType']}/{each.get('id')}" for each in entries(got) if each["resourceType"] != key.kind]
    if strange and key.kind != "Provenance":
        yield got.objection(
            rule,
            f"a token for {key.scope} alone brings along what it is not for",
            expected=f"{key.kind} alone, or a refusal",
            found=", ".join(strange[:3]),
        )


def entries(got: Got) -> list[Resource]:
    """The resources in the answer to a search, but for what it says of itself."""
    listed = (got.resource or {}).get("entry") if got.ok else None
    found = [each.get("resource") for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)]
    known = [each for each in found if isinstance(each, dict) and isinstance(each.get("resourceType"), str)]
    return [each for each in known if each["resourceType"] != "OperationOutcome"]


# who it is about


def for_one(exam: Examination) -> Launch:
    """An app that is authorized for every type of one patient's resources."""
    return exam.trials.fresh(name="every scope")


def _kind(scope: str) -> str | None:
    found = parse(scope)
    return found.type if found else None


def chart_of(exam: Examination, patient: str) -> Chart:
    """What the FHIR server tells of the patient of a launch; NotTested where that is none of the test patients."""
    found = next((chart for chart in exam.charts() if chart.id == patient), None)
    if found is None:
        raise NotTested("the patient of the launch is none of the test patients that were found", "SH-PAT-2")
    return found
