"""What the suite makes of an authorization server: the sentences about launches and tokens, as findings."""

from __future__ import annotations

from collections.abc import Iterator

from onc_conformance.access.scopes import covered, parse
from onc_conformance.access.tokens import TokenAnswer
from onc_conformance.examination import Examination
from onc_conformance.findings import Finding, NotApplicable, NotTested
from onc_conformance.smartwork import answered
from onc_conformance.smartwork.door import FROM_EHR
from onc_conformance.smartwork.launches import Launch
from onc_conformance.smartwork.objections import objection
from onc_conformance.targets.smart import ClientKind

CONDITION = "http://terminology.hl7.org/CodeSystem/condition-category"
OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category"
US_CORE = "http://hl7.org/fhir/us/core/CodeSystem"
PARTS = {
    "Condition": (
        f"{CONDITION}|encounter-diagnosis",
        f"{CONDITION}|problem-list-item",
        f"{US_CORE}/condition-category|health-concern",
    ),
    "Observation": (
        f"{OBSERVATION}|laboratory",
        f"{OBSERVATION}|social-history",
        f"{OBSERVATION}|vital-signs",
        f"{OBSERVATION}|survey",
        f"{US_CORE}/us-core-category|sdoh",
    ),
}
"""The categories by which US Core divides resources for scopes."""
FEW = ("Patient", "AllergyIntolerance")
"""The types a user grants who grants little."""


def by_itself(exam: Examination, kind: ClientKind) -> Launch:
    """The app launched without the EHR."""
    return exam.smart.launched(kind)


def posted(exam: Examination, kind: ClientKind) -> Launch:
    """The same with a request for authorization by POST."""
    exam.smart.needs("authorize-post")
    return exam.smart.launched(kind, post=True)


def from_ehr(exam: Examination, kind: ClientKind) -> Launch:
    """The app launched by a clinician from within the EHR."""
    return exam.smart.launched(kind, how=FROM_EHR)


def from_ehr_for_patient(exam: Examination) -> Launch:
    """The same for scopes of the patient in context."""
    exam.smart.needs("context-ehr-patient", "permission-patient")
    return exam.smart.launched(how=FROM_EHR, resources=exam.smart.scope("patient"), called="for the patient's scopes")


def for_another(exam: Examination) -> Launch:
    """An app launched by itself by a clinician, who chooses another patient than the first."""
    exam.smart.needs("context-standalone-patient")
    others = [subject.id for subject in exam.identified()[1:]]
    if not others:
        raise NotApplicable("two test patients with different ids are needed")
    return exam.smart.launched(who="clinician", person=others[0], called="by a clinician")


def in_form(exam: Examination, form: int) -> Launch:
    """An app launched for scopes in the form of a version of SMART App Launch."""
    exam.smart.needs(f"permission-v{form}")
    if exam.smart.version == "1.0.0" and form == 2:
        raise NotApplicable("SMART App Launch 1.0 knows one form of scopes")
    return exam.smart.launched(resources=exam.smart.scope("patient", form), called=f"for scopes of version {form}")


def for_parts(exam: Examination) -> Launch:
    """An app launched for parts of Conditions and Observations."""
    exam.smart.needs("permission-v2", "permission-granular")
    parts = [f"patient/{kind}.rs?category={code}" for kind, codes in PARTS.items() for code in codes]
    return exam.smart.launched(resources=" ".join(["patient/Patient.rs", *parts]), called="for parts of resources")


def for_few(exam: Examination) -> Launch:
    """An app that is granted two types of resources by a user who is asked for all."""
    smart = exam.smart
    plain = [each for each in smart.scope("patient").split() if (scope := parse(each)) and scope.type in FEW]
    if not plain:
        raise NotTested(f"the scopes of the description do not name {' and '.join(FEW)}")
    context = ["launch/patient", "openid", "fhirUser", "offline_access"]
    return smart.launched(grant=[*context, *plain], called="with little granted")


def by_hand(exam: Examination) -> tuple[str, str]:
    """A token that was got by hand, and the id of the patient it is for; NotApplicable where apps are launched."""
    smart = exam.smart
    login = smart.login("patient")
    if login.kind != "token":
        raise NotApplicable("tokens are got by launching apps")
    token, patient = (exam.target.rendered(text) or "" for text in (login.token, login.patient))
    smart.secret(token)
    return token, patient


def opens(exam: Examination, token: str, patient: str, rule: str) -> Iterator[Finding]:
    """Objections to a token that does not open the Patient it was given for."""
    got = exam.smart.read(token, f"Patient/{patient}", shown="token got by hand")
    if not got.ok or (got.kind, (got.resource or {}).get("id")) != ("Patient", patient):
        yield got.objection(rule, "the token got by hand does not open it", expected="the Patient", found=got.said)


def code_came(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a request for authorization that brings no code."""
    yield from answered.came_back(launch.plan, launch.arrived(), rule)


def token_came(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a launch that does not end with an access token."""
    yield from answered.came_back(launch.plan, launch.arrived(), rule)
    if launch.answer is not None:
        yield from answered.given(launch.title, launch.answer, rule)


def exchanged(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a code that is not exchanged for a token."""
    yield from answered.given(launch.title, launch.answered(), rule)


def opened(exam: Examination, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to the way the EHR opens an app: at its registered address, with iss and launch."""
    arrival = launch.plan.opened
    if arrival is None or arrival.back is None:
        why = arrival.said if arrival else "nobody opened it"
        yield objection(
            arrival.last if arrival else None,
            rule,
            f"the EHR did not open the app: {why}",
            expected=f"a redirect to {launch.plan.app.launch}",
        )
        return
    server = arrival.back.value("iss")
    if server.rstrip("/") != exam.smart.base:
        yield objection(
            arrival.last,
            rule,
            "the EHR opened the app with the address of another FHIR server as iss",
            expected=exam.smart.base,
            found=server or "nothing",
        )
    if not arrival.back.value("launch"):
        yield objection(arrival.last, rule, "the EHR opened the app without a launch parameter", expected="launch")


def few_granted(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to granted scopes for resources that are not just those the user granted."""
    answer = launch.given()
    if not answer.scopes:
        raise NotTested(f"{launch.title}: the answer does not say what was granted", "AUT-PAT-35")
    asked = [each for each in launch.request.scopes if (scope := parse(each)) and scope.type in FEW]
    missing = [each for each in asked if not covered(each, answer.scopes)]
    if missing:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: what the user granted is not granted",
            path="$.scope",
            expected=", ".join(missing),
            found=", ".join(answer.scopes) or "none",
        )


def doors(exam: Examination, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to scopes that were granted and do not open what they are for.

    Raises NotTested where the token is for another patient than the one that was in context.
    """
    answer, smart = launch.given(), exam.smart
    patient = launch.plan.chosen.patient
    if answer.text("patient") not in {"", patient}:
        raise NotTested(f"{launch.title}: the token is for another patient", "AUT-PAT-36")
    credential = smart.credential(launch)
    for scope in filter(None, map(parse, answer.scopes)):
        if scope.type in exam.fhir.table.without or scope.type == "*" or scope.context == "system":
            continue
        found = _search(scope.type, scope.query, patient)
        if found is None:
            continue
        got = smart.get(credential, scope.type, found)
        if not got.ok or got.kind != "Bundle":
            yield got.objection(
                rule,
                f"{launch.title}: {scope.text} was granted and opens nothing",
                expected="a Bundle",
                found=got.said,
            )


def _search(kind: str, query: str, patient: str) -> tuple[tuple[str, str], ...] | None:
    """A search for a patient's resources of a type; None for types that are of no one patient."""
    if kind == "Patient":
        return (("_id", patient),)
    if kind in PARTS and query:
        name, _, value = query.partition("=")
        return ("patient", patient), (name, value)
    if kind in {"AllergyIntolerance", "Condition", "Immunization", "Procedure"}:
        return (("patient", patient),)
    return None


def refreshed(exam: Examination, launch: Launch) -> TokenAnswer:
    """The answer to the refresh token of a launch; raises NotTested where there is none."""
    exam.smart.needs("permission-offline")
    answer = launch.given()
    if not answer.refresh_token:
        raise NotTested(f"{launch.title}: no refresh token was given", "AUT-PAT-35")
    token = exam.smart.latest(answer.refresh_token)
    return exam.smart.refresh(launch.plan.app, token, purpose=f"refresh after: {launch.title}")


def still_opens(exam: Examination, launch: Launch, answer: TokenAnswer, rule: str) -> Iterator[Finding]:
    """Objections to a refreshed token that does not open the Patient."""
    if not answer.given:
        return
    got = exam.smart.read(answer.access_token, f"Patient/{launch.plan.chosen.patient}", shown="refreshed token")
    if not got.ok:
        yield got.objection(
            rule, f"{launch.title}: the refreshed token does not open it", expected="the Patient", found=got.said
        )
