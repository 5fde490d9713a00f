"""What the suite makes of an answer: the sentences of the features, each as findings about one reply.

The judges know documents, the targets know requests; this is where the two meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from onc_conformance import judging, procedure, uscdi
from onc_conformance.examination import Examination
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity
from onc_conformance.record import KINDS, Record
from onc_conformance.reply import MEDIA_TYPES, NO_SUCH_REQUEST, Reply

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


def formed(exam: Examination, replies: Iterable[Reply], layer: str, rule: str) -> Iterator[Finding]:
    """What one layer of judging finds in every document that can be read, in the edition of the step."""
    edition = procedure.load().steps[rule].edition(exam.edition.id)
    yield from _once_each_advice(
        replace(finding, message=f"{reply.request}: {finding.message}")
        for reply in readable(replies, "G9-IA-SUT-1")
        for document in reply.documents
        for finding in judging.of_layers(document, {layer}, edition)
    )


def formed_slices(exam: Examination, replies: Iterable[Reply], layer: str, rule: str) -> Iterator[Finding]:
    """The same for answers to category requests, as far as they are C-CDA.

    Of a document that carries one category nobody asks for a header and the other sections. And as the format of a
    category is the vendor's choice, a template that is not kept is worth a warning; a code that is not from the
    vocabulary the criterion names is an error.
    """
    edition = procedure.load().steps[rule].edition(exam.edition.id)
    yield from _once_each_advice(
        replace(finding, message=f"{reply.request}: {finding.message}", severity=_in_a_slice(finding))
        for reply in readable(replies, "G8-IA-SUT-1")
        for document in reply.documents
        for finding in judging.of_layers(document, {layer}, edition)
        if finding.layer is not Layer.TEMPLATE or not document.is_whole or "/section" in (finding.path or "")
    )


def _in_a_slice(finding: Finding) -> Severity:
    relieved = finding.layer is Layer.TEMPLATE and finding.severity is Severity.ERROR
    return Severity.WARNING if relieved else finding.severity


def _once_each_advice(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Every error; of everything else each rule once, where it shows first, with how often it shows elsewhere."""
    advice: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.severity is Severity.ERROR:
            yield finding
        else:
            advice.setdefault(finding.rule, []).append(finding)
    for first, *more in advice.values():
        yield replace(first, message=f"{first.message} (and at {len(more)} more places)") if more else first


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


def told_alike(exam: Examination, reply: Reply, rule: str) -> list[Finding]:
    """Facts that the document and the categories do not tell alike; NotApplicable where there are no categories."""
    categories = [exam.category(reply.subject, name) for name in exam.target.supported]
    usable = [
        each
        for each in categories
        if each.kinds and each.readable and not any(f.severity is Severity.ERROR for f in exam.belongs(each, rule))
    ]
    if not usable:
        raise NotApplicable("the API answers no request for a category")
    kinds = {kind for each in usable for kind in each.kinds or ()} - NAMED_PLACES
    documents = [document for each in usable for document in each.documents]
    return judging.disagreement(documents, reply.documents, reply.subject.record, kinds, rule=rule)


def nothing_entered(record: Record, category: str) -> bool:
    """Whether the record has no fact of the category, and the category is one of facts."""
    kinds = uscdi.categories()[category].kinds
    return bool(kinds) and not any(fact.kind in kinds for fact in record.facts)


def empty(exam: Examination, reply: Reply, rule: str) -> list[Finding]:
    """Objections to facts where none are entered."""
    if not reply.ok:
        return [] if reply.answer.kind == "no_data" else [reply.refused(rule, Severity.WARNING)]
    return [
        each
        for document in reply.documents
        for each in judging.of_classes(
            [document], reply.subject.record, exam.others(reply.subject), reply.kinds or KINDS, header=False, rule=rule
        )
    ]
