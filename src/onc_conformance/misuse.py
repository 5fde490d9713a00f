"""Requests that must not work: whom they are made for, and what the suite makes of their answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from onc_conformance.examination import Examination
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity
from onc_conformance.reply import REFUSALS, Reply, Subject
from onc_conformance.targets import Misuse


def turned_away(reply: Reply, rule: str) -> list[Finding]:
    """Objections to a misuse that brought data, and a warning for one that was not turned away in order."""
    if reply.brought_data:
        return [
            reply.objection(
                rule,
                "data came back",
                layer=Layer.SECURITY,
                expected="a refusal",
                found="data",
                hint="the API must not answer this request with anybody's data",
            )
        ]
    if reply.ok:
        return [
            reply.objection(
                rule,
                "was answered as if all were well, though without data",
                severity=Severity.WARNING,
                expected="a refusal",
                found="an answer without data",
            )
        ]
    if reply.answer.kind not in REFUSALS:
        return [
            reply.objection(
                rule,
                "was not turned away in an orderly manner",
                severity=Severity.WARNING,
                expected=f"one of {', '.join(sorted(REFUSALS))}",
                found=reply.answer.kind,
            )
        ]
    return []


def resolves_nobody(exam: Examination, reply: Reply, rule: str) -> list[Finding]:
    """A warning for attributes that fit nobody, or several, and yet resolved somebody."""
    if not reply.ok:
        return [] if reply.answer.kind in REFUSALS else turned_away(reply, rule)
    found = reply.answer.captures.get("pat_id")
    named = next((subject.id for subject in exam.subjects if exam.id_of(subject) == found), "somebody")
    return [
        reply.objection(
            rule,
            "somebody was resolved",
            severity=Severity.WARNING,
            expected="no match, or a refusal",
            found=f"the id of {named}",
        )
    ]


def listed_misuse(reply: Reply, expected: Collection[str], rule: str) -> list[Finding]:
    """Objections to a misuse listed in the description: data are a failure, another class than expected a warning."""
    if reply.brought_data or (reply.ok and not reply.documents and "ok" not in expected):
        return (
            turned_away(reply, rule)
            if reply.brought_data
            else [
                reply.objection(rule, "was answered", layer=Layer.SECURITY, expected=" or ".join(expected), found="ok")
            ]
        )
    if reply.answer.kind in expected:
        return []
    return [
        reply.objection(
            rule,
            "was refused in another way than the description expects",
            severity=Severity.WARNING,
            expected=" or ".join(expected),
            found=reply.answer.kind,
        )
    ]


def listed_misuses(exam: Examination, op: str) -> list[Misuse]:
    """The misuses of `op` that the description lists and whose variables are set; NotApplicable for none."""
    found = exam.target.misuses(op)
    if not found:
        raise NotApplicable("the description lists none that can be tried")
    return found


def subjects_with(exam: Examination, mark: str) -> list[Subject]:
    """The test patients whose name has the mark, in the words of the features; raises NotApplicable for none."""
    tests: Mapping[str, object] = {
        "an apostrophe": lambda name: "'" in name or "\u2019" in name,
        "a hyphen": lambda name: "-" in name,
        "a diacritic": lambda name: not name.isascii(),
    }
    bears = tests[mark]
    found = [
        subject
        for subject in exam.subjects
        if bears(subject.record.name.family + " ".join(subject.record.name.given))  # type: ignore[operator]
    ]
    if not found:
        raise NotApplicable(f"no test patient's name has {mark}")
    return found


def namesakes(exam: Examination) -> tuple[Subject, Subject]:
    """Two test patients who share family and given name; raises NotApplicable where there are none."""
    seen: dict[tuple[str, str], Subject] = {}
    for subject in exam.subjects:
        name = subject.record.name
        key = (name.family.casefold(), (name.given or ("",))[0].casefold())
        if key in seen:
            return seen[key], subject
        seen[key] = subject
    raise NotApplicable("no two test patients share a name")


def two(exam: Examination) -> tuple[Subject, Subject]:
    """Two test patients whose ids open their own data; NotApplicable where there are no two, NotTested if none is."""
    resolved = exam.identified()
    if len({exam.id_of(subject) for subject in resolved}) < 2:
        raise NotApplicable("two test patients with different ids are needed")
    sound = [subject for subject in resolved if exam.measurable(exam.data(subject))]
    for other in sound[1:]:
        if exam.id_of(other) != exam.id_of(sound[0]):
            return sound[0], other
    raise NotTested("no two test patients' ids open their own data", "G7-I-TLV-1")
