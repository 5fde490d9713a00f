"""The context of a launch: the patient and encounter that were chosen, and what an app is told of its surroundings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onc_conformance.access.discovery import is_address
from onc_conformance.access.tokens import json_object
from onc_conformance.fhirwork.asking import Got
from onc_conformance.findings import Finding, NotTested
from onc_conformance.smartwork.door import Smart
from onc_conformance.smartwork.launches import Launch
from onc_conformance.smartwork.objections import objection


def patient(smart: Smart, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a token that does not name the patient in context, or does not open that Patient."""
    answer = launch.given()
    named, chosen = answer.text("patient"), launch.plan.chosen.patient
    if named != chosen:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: the token is not for the patient in context",
            path="$.patient",
            expected=chosen,
            found=named or "nothing",
        )
    if named:
        got = smart.get(smart.credential(launch), f"Patient/{named}")
        yield from _opened(launch, got, "Patient", named, rule)


def encounter(smart: Smart, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to a token that does not name the encounter in context, or does not open that Encounter.

    Raises NotTested where no encounter was to be in context.
    """
    answer, chosen = launch.given(), launch.plan.chosen
    if not chosen.encounter:
        raise NotTested(f"{chosen.title} has no Encounter that could be in context")
    named = answer.text("encounter")
    if named != chosen.encounter:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: the encounter in context does not come with the token",
            path="$.encounter",
            expected=chosen.encounter,
            found=named or "nothing",
        )
    if named:
        got = smart.get(smart.credential(launch), f"Encounter/{named}")
        yield from _opened(launch, got, "Encounter", named, rule)
        subject = (got.resource or {}).get("subject") if got.ok else None
        reference = subject.get("reference") if isinstance(subject, dict) else None
        if isinstance(reference, str) and not reference.endswith(f"Patient/{chosen.patient}"):
            yield got.objection(
                rule,
                "the encounter in context is another patient's",
                expected=f"Patient/{chosen.patient}",
                found=reference,
            )


def _opened(launch: Launch, got: Got, kind: str, number: str, rule: str) -> Iterator[Finding]:
    if not got.ok:
        yield got.objection(rule, f"{launch.title}: the token does not open it", expected=f"the {kind}", found=got.said)
    elif (got.kind, (got.resource or {}).get("id")) != (kind, number):
        yield got.objection(
            rule,
            f"{launch.title}: another resource comes",
            expected=f"{kind}/{number}",
            found=f"{got.kind}/{(got.resource or {}).get('id')}",
        )


def banner(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to an answer that does not say whether the app has to show whose data it shows."""
    answer = launch.given()
    told: Any = answer.fields.get("need_patient_banner")
    if not isinstance(told, bool):
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: nothing says whether a banner of the patient is needed",
            path="$.need_patient_banner",
            expected="true or false",
            found=repr(told) if told is not None else "nothing",
        )


def style(smart: Smart, launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to an answer without the address of a style, or one where there is none."""
    answer = launch.given()
    url = answer.text("smart_style_url")
    if not is_address(url):
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: there is no address of the style that apps follow",
            path="$.smart_style_url",
            expected="an absolute URL",
            found=url or "nothing",
        )
        return
    found = smart.published(url, "fetch the style")
    fields, trouble = json_object(found.exchange)
    if found.exchange.status != 200 or trouble or not fields:
        yield objection(
            found.exchange,
            rule,
            "the style that apps follow is not there",
            expected="a JSON object",
            found=trouble or f"HTTP {found.exchange.status}",
        )


def fhir_context(launch: Launch, rule: str) -> Iterator[Finding]:
    """Objections to the form of further resources in context, where there are any (SMART App Launch 2.2, 3.0.11)."""
    answer = launch.given()
    told: Any = answer.fields.get("fhirContext")
    if told is None:
        return
    wrong = not isinstance(told, list) or any(
        not isinstance(each, dict)
        or not {"reference", "canonical", "identifier"} & set(each)
        or each.get("role", "launch") == ""
        for each in told
    )
    if wrong:
        yield objection(
            answer.exchange,
            rule,
            f"{launch.title}: fhirContext is not what it must be",
            path="$.fhirContext",
            expected="a list of objects with reference, canonical or identifier, and no empty role",
            found=type(told).__name__,
        )
