"""Whom a header names beside the patient, where the chart says so: who wrote, told, keeps, receives, and is related."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onc_conformance.reference.cda.contacts import ORGANIZATION, name_parts, reach
from onc_conformance.reference.cda.markup import coded, el, identifier, point, template, words

if TYPE_CHECKING:
    from onc_conformance.reference.charts import Chart, Fact

_RELATED = template("2.16.840.1.113883.10.20.22.5.8", "2023-05-01")


def authors(chart: Chart) -> str:
    """Who wrote the document; nothing where the chart names nobody."""
    return "".join(
        el("author", {}, _time(fact), _assigned(chart, fact, "assignedAuthor")) for fact in _of(chart, "author")
    )


def informants(chart: Chart) -> str:
    """Relatives who gave information."""
    return "".join(
        el(
            "informant",
            {},
            el(
                "relatedEntity",
                {"classCode": "PRS"},
                _relationship(fact),
                reach(fact.values, ""),
                _person("relatedPerson", fact),
            ),
        )
        for fact in _of(chart, "informant")
    )


def custodian(chart: Chart) -> str:
    """The organization that keeps the document; nothing where the chart names none."""
    for fact in _of(chart, "custodian"):
        kept = el(
            "representedCustodianOrganization",
            {},
            identifier(chart, fact.anchor),
            words("name", fact.text("organization")),
            _telecom_before_address(fact),
        )
        return el("custodian", {}, el("assignedCustodian", {}, kept))
    return ""


def recipients(chart: Chart) -> str:
    """For whom it is meant."""
    return "".join(
        el("informationRecipient", {}, el("intendedRecipient", {}, _person("informationRecipient", fact)))
        for fact in _of(chart, "recipient")
    )


def authenticator(chart: Chart) -> str:
    """Who answers for it in law: one."""
    for fact in _of(chart, "authenticator"):
        signed = '<signatureCode code="S"/>'
        return el("legalAuthenticator", {}, _time(fact), signed, _assigned(chart, fact, "assignedEntity"))
    return ""


def related_persons(chart: Chart) -> str:
    """Those related to the patient, each with the relationship."""
    return "".join(
        el(
            "participant",
            {"typeCode": "IND"},
            _RELATED,
            el(
                "associatedEntity",
                {"classCode": "PRS"},
                _relationship(fact),
                reach(fact.values, ""),
                _person("associatedPerson", fact),
            ),
        )
        for fact in _of(chart, "related_person")
    )


def _of(chart: Chart, kind: str) -> list[Fact]:
    return [fact for fact in chart.of("participants") if (fact.text("kind") or "related_person") == kind]


def _time(fact: Fact) -> str:
    known = fact.values.get("provenance") or {}
    return point("time", known.get("time"))


def _relationship(fact: Fact) -> str:
    code = fact.code("relationship")
    return coded("code", code) if code else ""


def _person(tag: str, fact: Fact) -> str:
    member = fact.values.get("member")
    return el(tag, {}, el("name", {}, name_parts(member))) if member else ""


def _assigned(chart: Chart, fact: Fact, tag: str) -> str:
    keepers = [one.text("organization") for one in _of(chart, "custodian")]
    organization = fact.text("organization") or next(iter(keepers), ORGANIZATION)
    represented = el("representedOrganization", {}, words("name", organization))
    who = _person("assignedPerson", fact)
    return el(tag, {}, identifier(chart, fact.anchor), reach(fact.values), who, represented)


def _telecom_before_address(fact: Fact) -> str:
    """A custodian's telecom comes first, everybody else's address does."""
    both = reach(fact.values)
    cut = both.index("<telecom")
    return both[cut:] + both[:cut]
