"""Requests with dates: which are made, and what the suite makes of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from onc_conformance import judging, uscdi, windows
from onc_conformance.examination import Examination
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity
from onc_conformance.moments import Days
from onc_conformance.record import KINDS, Record
from onc_conformance.reply import NO_SUCH_REQUEST, REFUSALS, Reply


def within(exam: Examination, reply: Reply, rule: str, absent: Severity = Severity.ERROR) -> list[Finding]:
    """Objections by ONC's rule of dates, measured by the facts the request without dates brings; and to strangers."""
    if reply.window is None:
        return []
    whole = exam.category(reply.subject, reply.category) if reply.category else exam.all_data(reply.subject)
    record = exam.held(whole)
    found = judging.dates(
        reply.documents, record, reply.window, exam.policy(), kinds=reply.kinds, rule=rule, absent=absent
    )
    record = reply.subject.record if reply.subject.record.facts else record
    found += judging.foreign(
        reply.documents, record, exam.others(reply.subject), reply.kinds, known=whole.documents, rule=rule
    )
    return exam.belongs(reply, rule) + [replace(each, message=f"{reply.request}: {each.message}") for each in found]


def nothing_foreign_to_window(exam: Examination, reply: Reply, rule: str) -> list[Finding]:
    """For windows beyond the stated steps: data from outside are an error, all else is a warning."""
    if reply.answer.kind in NO_SUCH_REQUEST:
        raise NotApplicable(f"{reply.request}: {reply.answer.message}")
    if not reply.ok:
        orderly = reply.answer.kind in REFUSALS
        return [] if orderly and not _within_something(reply) else [reply.refused(rule, Severity.WARNING)]
    if reply.window and reply.window.first and reply.window.last and reply.window.first > reply.window.last:
        facts = judging.present(reply.documents, reply.subject.record)
        return (
            [
                reply.objection(
                    rule,
                    "reversed bounds were answered with data",
                    severity=Severity.WARNING,
                    layer=Layer.DATES,
                    expected="a refusal or nothing",
                    found=f"{len(facts)} facts",
                )
            ]
            if facts
            else []
        )
    return within(exam, reply, rule, absent=Severity.WARNING)


def _within_something(reply: Reply) -> bool:
    window = reply.window
    return window is not None and any(
        moment.overlaps(window)
        for fact in reply.subject.record.facts
        if reply.kinds is None or fact.kind in reply.kinds
        for moment in fact.stated
    )


def category_windows(exam: Examination, name: str, records: Mapping[str, Record]) -> list[Reply]:
    """Each dated category over the window called `name`, for the patients on whom it shows most."""
    replies, blocked = [], False
    for category in exam.target.supported:
        about = uscdi.categories()[category]
        if about.header or not about.kinds:
            continue
        described = exam.target.category(category)
        by_encounter = described is not None and described.scope == "encounter"
        for subject, record in exam.dated(records, about.kinds, by_encounter=by_encounter):
            window = windows.BY_NAME[name](windows.exact_days(windows.dated(record, about.kinds)))
            if window is None:
                continue
            if exam.measurable(exam.category(subject, category)):
                replies.append(exam.category(subject, category, window))
            else:
                blocked = True
    return _some(records, replies, "G8-IA-TLV-1" if blocked else None)


def all_data_windows(exam: Examination, name: str, records: Mapping[str, Record]) -> list[Reply]:
    """All data over the window called `name`, for the patients on whom it shows most."""
    replies, blocked = [], False
    for subject, record in exam.dated(records):
        window = windows.BY_NAME[name](windows.exact_days(windows.dated(record)))
        if window is None:
            continue
        if exam.measurable(exam.all_data(subject)):
            replies.append(exam.all_data(subject, window))
        else:
            blocked = True
    return _some(records, replies, "G9-IA-TLV-1" if blocked else None)


def halves(exam: Examination) -> list[tuple[Reply, Reply]]:
    """All data of the days up to the middle one with data and of those after it, for the patients on whom it shows."""
    pairs: list[tuple[Reply, Reply]] = []
    for subject, record in exam.dated(exam.expected):
        days = windows.exact_days(windows.dated(record))
        middle = days[(len(days) - 1) // 2]
        early, late = Days(days[0], middle), Days(middle + windows.DAY, days[-1])
        if exam.measurable(exam.all_data(subject)):
            pairs.append((exam.all_data(subject, early), exam.all_data(subject, late)))
    if not pairs:
        raise NotTested("the request without dates brought nothing to measure by", "G9-IA-TLV-1")
    return pairs


def joined(exam: Examination, pair: tuple[Reply, Reply], rule: str) -> list[Finding]:
    """Facts that two ranges together and the whole record do not tell alike."""
    if not all(reply.readable for reply in pair):
        return []
    early, late = pair
    subject = early.subject
    whole = exam.all_data(subject)
    over = Days(early.window.first if early.window else None, late.window.last if late.window else None)
    documents = [*early.documents, *late.documents]
    return judging.disagreement(whole.documents, documents, subject.record, KINDS, within=over, rule=rule)


def _some(records: Mapping[str, Record], replies: list[Reply], step: str | None) -> list[Reply]:
    if replies:
        return replies
    if step:
        raise NotTested("the request without dates brought nothing to measure by", step)
    if not records:
        raise NotTested("no expected record")
    raise NotTested("no test patient has facts on two days or more")
