"""The invariants of FHIR R4 itself, for types and resources that carry a patient's data."""

from __future__ import annotations

from typing import Any

from onc_conformance.fhir.invariants.bundles import BUNDLES
from onc_conformance.fhir.invariants.questionnaires import QUESTIONNAIRES
from onc_conformance.fhir.invariants.words import Rule, Scope, chosen, distinct, has, in_order, is_coded, items, number

_UCUM = "http://unitsofmeasure.org"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_ALLERGY_VERIFIED = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_EVENTS = frozenset({"C", "CM", "CD", "CV"})


def _contained(resource: Any) -> list[dict[str, Any]]:
    return [each for each in items(resource, "contained") if isinstance(each, dict)]


def _not_nested(resource: Any, _: Scope) -> bool:
    return not any(has(each, "contained") for each in _contained(resource))


def _unversioned(resource: Any, _: Scope) -> bool:
    metas = [each.get("meta") for each in _contained(resource)]
    return not any(has(meta, "versionId") or has(meta, "lastUpdated") for meta in metas)


def _unlabelled(resource: Any, _: Scope) -> bool:
    return not any(has(each.get("meta"), "security") for each in _contained(resource))


def _told(resource: Any, _: Scope) -> bool:
    return has(resource.get("text"), "div") if isinstance(resource, dict) else True


def _either(resource: Any, first: str, second: str) -> bool:
    return not (has(resource, first) and has(resource, second))


def _measured(value: Any, system: str | None, *, least: float | None = None) -> bool:
    """What Age, Count, Distance and Money as Quantity ask of one: a code beside the value, in this system."""
    amount = number(value.get("value"))
    return (
        (has(value, "code") or not has(value, "value"))
        and (not has(value, "system") or system is None or value.get("system") == system)
        and (least is None or amount is None or amount > least)
    )


def _count(value: Any, _: Scope) -> bool:
    amount = number(value.get("value"))
    whole = amount is None or isinstance(amount, int)
    return _measured(value, _UCUM) and (not has(value, "code") or value.get("code") == "1") and whole


def _duration(value: Any, _: Scope) -> bool:
    return not has(value, "code") or (value.get("system") == _UCUM and has(value, "value"))


def _range(value: Any, _: Scope) -> bool:
    low, high = value.get("low"), value.get("high")
    if not isinstance(low, dict) or not isinstance(high, dict) or low.get("code") != high.get("code"):
        return True
    least, most = number(low.get("value")), number(high.get("value"))
    return least is None or most is None or least <= most


def _ratio(value: Any, _: Scope) -> bool:
    both = has(value, "numerator") == has(value, "denominator")
    return both and (has(value, "numerator") or has(value, "extension"))


def _condition_abated(value: Any, _: Scope) -> bool:
    return not chosen(value, "abatement") or is_coded(
        value.get("clinicalStatus"), _CLINICAL, "resolved", "remission", "inactive"
    )


def _wrong(value: Any, system: str) -> bool:
    return is_coded(value.get("verificationStatus"), system, "entered-in-error")


def _components_apart(value: Any, _: Scope) -> bool:
    if not chosen(value, "value"):
        return True
    own = _pairs(value.get("code"))
    return not any(own & _pairs(each.get("code")) for each in items(value, "component") if isinstance(each, dict))


def _pairs(concept: Any) -> set[str]:
    """Codings as they stand: two are the same where every part is."""
    return {str(sorted(each.items())) for each in items(concept, "coding") if isinstance(each, dict)}


def _answer_or_items(value: Any, _: Scope) -> bool:
    return _either(value, "answer", "item")


def _member(value: Any, scope: Scope) -> bool:
    """Only a practitioner acts on behalf of an organisation, as far as the reference says what it names."""
    member = value.get("member")
    told = member.get("reference") if isinstance(member, dict) else None
    if not has(value, "onBehalfOf") or not isinstance(told, str):
        return True
    found = scope.resolve(told) if scope.resolve else None
    return found is None or found.get("resourceType") == "Practitioner"


def _timing_offset(value: Any, _: Scope) -> bool:
    when = items(value, "when")
    return not has(value, "offset") or (bool(when) and not _EVENTS.intersection(map(str, when)))


def _not_below_zero(value: Any, name: str) -> bool:
    amount = number(value.get(name))
    return amount is None or amount >= 0


BASE: dict[str, Rule] = {
    each.id: each
    for each in (
        Rule("dom-2", _not_nested, "a contained resource that contains no other"),
        Rule("dom-4", _unversioned, "contained resources without meta.versionId and meta.lastUpdated"),
        Rule("dom-5", _unlabelled, "contained resources without meta.security"),
        Rule("dom-6", _told, "a narrative (text.div)"),
        Rule("ele-1", lambda v, _: any(each != "id" for each in v), "a value or an element within"),
        Rule("ext-1", lambda v, _: has(v, "extension") != bool(chosen(v, "value")), "either a value or extensions"),
        Rule("age-1", lambda v, _: _measured(v, _UCUM, least=0), "an age above 0 with a UCUM code"),
        Rule("cnt-3", _count, "a whole number, with the UCUM code 1"),
        Rule("dis-1", lambda v, _: _measured(v, _UCUM), "a distance with a UCUM code"),
        Rule("drt-1", _duration, "a duration with a value and a UCUM code"),
        Rule("mqty-1", lambda v, _: _measured(v, "urn:iso:std:iso:4217"), "an amount with a currency of ISO 4217"),
        Rule("qty-3", lambda v, _: not has(v, "code") or has(v, "system"), "a system beside the code of the unit"),
        Rule("sqty-1", lambda v, _: not has(v, "comparator"), "no comparator"),
        Rule("rng-2", _range, "a low that is not above the high"),
        Rule("rat-1", _ratio, "both numerator and denominator, or neither and an extension"),
        Rule("per-1", lambda v, _: in_order(v.get("start"), v.get("end")), "a start that is not after the end"),
        Rule("att-1", lambda v, _: not has(v, "data") or has(v, "contentType"), "a contentType beside the data"),
        Rule("cpt-2", lambda v, _: not has(v, "value") or has(v, "system"), "a system beside the value"),
        Rule("exp-1", lambda v, _: has(v, "expression") or has(v, "reference"), "an expression or a reference"),
        Rule("tim-1", lambda v, _: not has(v, "duration") or has(v, "durationUnit"), "a durationUnit"),
        Rule("tim-2", lambda v, _: not has(v, "period") or has(v, "periodUnit"), "a periodUnit"),
        Rule("tim-4", lambda v, _: _not_below_zero(v, "duration"), "a duration of 0 or more"),
        Rule("tim-5", lambda v, _: _not_below_zero(v, "period"), "a period of 0 or more"),
        Rule("tim-6", lambda v, _: not has(v, "periodMax") or has(v, "period"), "a period beside periodMax"),
        Rule("tim-7", lambda v, _: not has(v, "durationMax") or has(v, "duration"), "a duration beside durationMax"),
        Rule("tim-8", lambda v, _: not has(v, "countMax") or has(v, "count"), "a count beside countMax"),
        Rule("tim-9", _timing_offset, "a when, of those an offset can be counted from"),
        Rule("tim-10", lambda v, _: _either(v, "timeOfDay", "when"), "either timeOfDay or when"),
        Rule(
            "ait-1",
            lambda v, _: _wrong(v, _ALLERGY_VERIFIED) or has(v, "clinicalStatus"),
            "a clinicalStatus, unless entered in error",
        ),
        Rule(
            "ait-2",
            lambda v, _: not _wrong(v, _ALLERGY_VERIFIED) or not has(v, "clinicalStatus"),
            "no clinicalStatus where entered in error",
        ),
        Rule("con-1", lambda v, _: has(v, "summary") or has(v, "assessment"), "a summary or an assessment"),
        Rule("con-2", lambda v, _: has(v, "code") or has(v, "detail"), "a code or a detail"),
        Rule(
            "con-3",
            # As published it looks for a category that is the bare string, which no category is, and so cannot fail
            lambda v, _: (
                has(v, "clinicalStatus") or _wrong(v, _VERIFIED) or "problem-list-item" not in items(v, "category")
            ),
            "a clinicalStatus on an item of the problem list",
        ),
        Rule("con-4", _condition_abated, "a clinicalStatus of resolved, remission or inactive beside an abatement"),
        Rule(
            "con-5",
            lambda v, _: not _wrong(v, _VERIFIED) or not has(v, "clinicalStatus"),
            "no clinicalStatus where entered in error",
        ),
        Rule("cpl-3", lambda v, _: _either(v, "detail", "reference"), "either a detail or a reference"),
        Rule("ctm-1", _member, "a practitioner, where somebody acts on behalf of an organisation"),
        Rule(
            "cmp-1", lambda v, _: any(has(v, each) for each in ("text", "entry", "section")), "text, entry or section"
        ),
        Rule("cmp-2", lambda v, _: _either(v, "emptyReason", "entry"), "no emptyReason beside entries"),
        Rule("gol-1", lambda v, _: not chosen(v, "detail") or has(v, "measure"), "a measure beside the detail"),
        Rule(
            "grp-1", lambda v, _: not has(v, "member") or v.get("actual") is True, "actual true where there are members"
        ),
        Rule("imm-1", lambda v, _: has(v, "documentType") or has(v, "reference"), "a documentType or a reference"),
        Rule("lst-1", lambda v, _: _either(v, "emptyReason", "entry"), "no emptyReason beside entries"),
        Rule(
            "lst-2",
            lambda v, _: v.get("mode") == "changes" or not any(has(each, "deleted") for each in items(v, "entry")),
            "deleted entries only in a list of changes",
        ),
        Rule(
            "lst-3",
            lambda v, _: v.get("mode") == "working" or not any(has(each, "date") for each in items(v, "entry")),
            "dates of entries only in a working list",
        ),
        Rule(
            "mdd-1",
            lambda v, _: in_order(v.get("whenPrepared"), v.get("whenHandedOver")),
            "handed over no earlier than prepared",
        ),
        Rule("obs-3", lambda v, _: any(has(v, each) for each in ("low", "high", "text")), "low, high or text"),
        Rule(
            "obs-6",
            lambda v, _: not has(v, "dataAbsentReason") or not chosen(v, "value"),
            "a value or why it is absent",
        ),
        Rule("obs-7", _components_apart, "no component with the code of the observation beside a value"),
        Rule("org-1", lambda v, _: has(v, "identifier") or has(v, "name"), "an identifier or a name"),
        Rule("org-2", lambda v, _: v.get("use") != "home", "an address that is no home"),
        Rule("org-3", lambda v, _: v.get("use") != "home", "a telecom that is not at home"),
        Rule(
            "pat-1",
            lambda v, _: any(has(v, each) for each in ("name", "telecom", "address", "organization")),
            "a name, telecom, address or organization",
        ),
        Rule("ppc-1", lambda v, _: has(v, "policy") or has(v, "policyRule"), "a policy or a policyRule"),
        Rule("prr-1", lambda v, _: not has(v, "orderDetail") or has(v, "code"), "a code beside orderDetail"),
        Rule("qrs-1", _answer_or_items, "either an answer or items"),
        Rule("trd-1", lambda v, _: not has(v, "data") or not chosen(v, "timing"), "either data or timing"),
        Rule("trd-2", lambda v, _: not has(v, "condition") or has(v, "data"), "data beside the condition"),
        Rule(
            "cpb-1",
            lambda v, _: any(has(v, each) for each in ("rest", "messaging", "document")),
            "rest, messaging or document",
        ),
        Rule(
            "cpb-2",
            lambda v, _: any(has(v, each) for each in ("description", "software", "implementation")),
            "a description, software or implementation",
        ),
        Rule("cpb-3", lambda v, _: v.get("kind") == "instance" or not _endpoints(v), "endpoints only of an instance"),
        Rule("cpb-9", lambda v, _: distinct(_each(v, "resource", "type")), "each type of resource once"),
        Rule("cpb-12", lambda v, _: distinct(_each(v, "searchParam", "name")), "each search parameter once"),
        Rule("cpb-14", lambda v, _: v.get("kind") != "instance" or has(v, "implementation"), "an implementation"),
        Rule(
            "cpb-15",
            lambda v, _: v.get("kind") != "capability" or (not has(v, "implementation") and has(v, "software")),
            "software and no implementation, of a capability",
        ),
        Rule(
            "cpb-16",
            lambda v, _: v.get("kind") != "requirements" or not (has(v, "implementation") or has(v, "software")),
            "neither implementation nor software, of requirements",
        ),
        *BUNDLES,
        *QUESTIONNAIRES,
    )
}
"""By id. `dom-3`, `ref-1`, `txt-1` and `txt-2` are judged where references and narratives are."""


def _each(value: Any, name: str, inside: str) -> list[Any]:
    return [each.get(inside) for each in items(value, name) if isinstance(each, dict)]


def _endpoints(value: Any) -> bool:
    return any(has(each, "endpoint") for each in items(value, "messaging"))
