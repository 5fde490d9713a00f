"""What the suite makes of an answer: the sentences of the features, each as findings about one reply.

The judges know documents, the targets know requests; this is where the two meet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from onc_conformance import judging, uscdi, windows
from onc_conformance.examination import MEDIA_TYPES, NO_SUCH_REQUEST, REFUSALS, Examination, Reply, Subject
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity
from onc_conformance.record import KINDS, Record
from onc_conformance.targets import Misuse

NAMED_PLACES = frozenset({"assessment_plan", "udi", "goals", "health_concerns"})
"""Fact classes that (g)(9)(i)(A)(3) gives steps of their own, where they are judged."""


def answered(reply: Reply, rule: str) -> Iterator[Finding]:
    """Objections to a request that had to be answered with data and was not."""
    if reply.answer.kind in NO_SUCH_REQUEST:
        raise NotTested(f"{reply.request}: {reply.answer.message}")
    if reply.assumption_refused:
        raise NotTested(f"{reply.request}: an assumed detail of the description was refused ({reply.answer.kind})")
    if not reply.ok:
        yield reply.refused(rule)
    elif not reply.documents:
        yield reply.objection(rule, "was answered without data", expected="data", found="nothing")


def computable(reply: Reply, rule: str) -> Iterator[Finding]:
    """Objections to an answer that a program cannot read."""
    if reply.answer.kind == "no_data" and not _expected(reply):
        return
    yield from answered(reply, rule)
    for payload, document in zip(reply.answer.documents, reply.documents, strict=True):
        yield from (replace(each, rule=rule, message=f"{reply.request}: {each.message}") for each in document.findings)
        media, fitting = payload.media_type, MEDIA_TYPES[reply.carrier]
        if document.root is not None and media and not any(word in media for word in fitting):
            yield replace(
                reply.objection(
                    rule,
                    "the answer says that it is something else than it is",
                    expected=f"a media type with {' or '.join(fitting)}",
                    found=media,
                ),
                exchange=payload.exchange,
            )


def _expected(reply: Reply) -> bool:
    return any(reply.kinds is None or fact.kind in reply.kinds for fact in reply.subject.record.facts)


def readable(replies: Iterable[Reply], step: str) -> list[Reply]:
    """The replies that can be judged further; raises NotTested, naming `step`, when there are none."""
    replies = list(replies)
    usable = [reply for reply in replies if reply.readable]
    if usable:
        return usable
    if replies and all(reply.answer.kind == "no_data" or reply.assumption_refused for reply in replies):
        raise NotTested(f"{replies[0].request}: {replies[0].answer.kind}")
    raise NotTested("no answer that can be read came back", step)


def own(exam: Examination, replies: Iterable[Reply], rule: str, step: str) -> list[Reply]:
    """The readable replies that are the right patient's; raises NotTested, naming `step`, when there are none."""
    replies = readable(replies, step)
    usable = [
        reply for reply in replies if not any(each.severity is Severity.ERROR for each in exam.belongs(reply, rule))
    ]
    if not usable:
        raise NotTested("no answer is the right patient's", step)
    return usable


def of_documents(replies: Iterable[Reply], judge: Callable[..., list[Finding]], rule: str) -> Iterator[Finding]:
    """What `judge` says of every document that can be read."""
    for reply in readable(replies, "G9-IA-SUT-1"):
        for document in reply.documents:
            yield from judge(document, rule=rule)


def of_documents_and_records(
    replies: Iterable[Reply], judge: Callable[..., list[Finding]], rule: str
) -> Iterator[Finding]:
    """What `judge` says of every document that can be read, knowing the record of its patient."""
    for reply in readable(replies, "G9-IA-SUT-1"):
        for document in reply.documents:
            yield from judge(document, reply.subject.record, rule=rule)


def recorded(replies: Iterable[Reply]) -> list[Reply]:
    """The replies for patients whose record has facts; raises NotTested when there are none."""
    usable = [reply for reply in replies if reply.subject.record.facts]
    if not usable:
        raise NotTested("no expected record")
    return usable


def complete_category(exam: Examination, reply: Reply, rule: str) -> list[Finding]:
    """What the record has in the category and the answer has not, and what is another patient's."""
    name = reply.category or ""
    if not uscdi.categories()[name].header:
        recorded([reply])
    found = judging.category(reply.documents, name, reply.subject.record, exam.others(reply.subject), rule=rule)
    return [each for each in found if each not in judging.isolation(reply.documents, name)]


def isolated_category(reply: Reply) -> list[Finding]:
    """Warnings for facts of other categories that came along."""
    return judging.isolation(reply.documents, reply.category or "")


def complete(exam: Examination, reply: Reply, rule: str, kind: str | None = None) -> list[Finding]:
    """What the record has and the documents have not, and what is another patient's; `kind` narrows it to one class."""
    recorded([reply])
    kinds = {kind} if kind else frozenset(KINDS) - NAMED_PLACES
    return judging.of_classes(
        reply.documents, reply.subject.record, exam.others(reply.subject), kinds, header=kind is None, rule=rule
    )


def within(exam: Examination, reply: Reply, rule: str, absent: Severity = Severity.ERROR) -> list[Finding]:
    """Objections by ONC's rule of dates, measured by the facts the request without dates brings; and to strangers."""
    if reply.window is None:
        return []
    whole = exam.category(reply.subject, reply.category) if reply.category else exam.all_data(reply.subject)
    record = exam.held(whole)
    found = judging.dates(
        reply.documents, record, reply.window, exam.policy(), kinds=reply.kinds, rule=rule, absent=absent
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


def same_facts(replies: Sequence[Reply], rule: str) -> list[Finding]:
    """A warning when two answers to the same request tell different facts of the record."""
    if not replies[1].readable:
        return [replies[1].refused(rule, Severity.WARNING)]
    first, second = (set(judging.present(reply.documents, reply.subject.record)) for reply in replies)
    if first == second:
        return []
    return [
        replies[1].objection(
            rule,
            "the same request told different facts",
            severity=Severity.WARNING,
            layer=Layer.CONTENT,
            expected=f"{len(first)} facts",
            found=f"{len(second)} facts",
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


def category_windows(exam: Examination, name: str, records: Mapping[str, Record]) -> list[Reply]:
    """Each dated category over the window called `name`, for the patients on whom it shows most."""
    replies, blocked = [], False
    for category in exam.target.supported:
        about = uscdi.categories()[category]
        if about.header or not about.kinds:
            continue
        for subject, record in exam.dated(records, about.kinds):
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


def _some(records: Mapping[str, Record], replies: list[Reply], step: str | None) -> list[Reply]:
    if replies:
        return replies
    if step:
        raise NotTested("the request without dates brought nothing to measure by", step)
    if not records:
        raise NotTested("no expected record")
    raise NotTested("no test patient has facts on two days or more")


def nothing_entered(record: Record, category: str) -> bool:
    """Whether the record has no fact of the category, and the category is one of facts."""
    kinds = uscdi.categories()[category].kinds
    return bool(kinds) and not any(fact.kind in kinds for fact in record.facts)


def empty(exam: Examination, reply: Reply, rule: str) -> list[Finding]:
    """Objections to facts where none are entered: an error when they are another patient's, else a warning."""
    if not reply.ok:
        return [] if reply.answer.kind == "no_data" else [reply.refused(rule, Severity.WARNING)]
    return [
        each
        for document in reply.documents
        for each in judging.of_classes(
            [document], reply.subject.record, exam.others(reply.subject), reply.kinds or KINDS, header=False, rule=rule
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
