"""What the suite makes of the files of exports: everything of the group's patients, of nobody else, and alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from onc_conformance.bulk import watching
from onc_conformance.bulk.exports import COMPLETED, KICKED_OFF, Export, Whole
from onc_conformance.bulk.files import File
from onc_conformance.bulk.watching import Changes, Form, Likeness, Messages, People, Support
from onc_conformance.examination import Examination
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.chart import Kept
from onc_conformance.findings import Finding, Layer, NotTested, OutOfTime, Severity
from onc_conformance.population import TYPES, begun, completed, formats, manifest, of_group, of_other_group

ROOM = 10
"""How many resources that are left out are named."""
_Found = TypeVar("_Found")


# --- files


def members(exam: Examination, group: str, listed: str | None = None) -> frozenset[str]:
    """The ids of a group's patients: those `listed`, or those of the Group at the server."""
    if listed:
        return frozenset(each.strip().removeprefix("Patient/") for each in listed.split(",") if each.strip())
    service = exam.exports.service
    got = exam.exports.once(
        f"Group/{group}",
        lambda: service.get(f"{service.base}/Group/{group}", "who is in the group", token=service.bearer()),
    )
    found = (got.resource or {}).get("member") if got.ok and got.kind == "Group" else None
    ids = [_patient(each) for each in found or () if isinstance(each, dict) and not each.get("inactive")]
    if not ids:
        raise NotTested(f"nobody says who is in the group ({got.said}); name the ids in bulk.patients")
    return frozenset(filter(None, ids))


def _patient(member: Mapping[str, object]) -> str:
    entity = member.get("entity")
    told = str(entity.get("reference") or "") if isinstance(entity, dict) else ""
    return told.rpartition("Patient/")[2].partition("/")[0] if "Patient/" in told else ""


def whole(exam: Examination) -> Whole:
    """The export of the group with every line read, once. NotTested where there is no manifest."""
    exports = exam.exports
    if exports.whole is None:
        export = begun(exam)
        told = exports.told(export)
        own = _or_nothing(lambda: group(exam))
        single = _or_nothing(lambda: singles(exam, own))
        people, likeness = People(own or frozenset()), Likeness(single or {})
        form, support, changes = Form(exam.us_core), Support(exam.us_core), Changes()
        messages = Messages()
        read = exports.fetched(export, [form, support, people, likeness, changes])
        read += exports.fetched(export, [messages], told.messages)
        exports.whole = Whole(
            export=export,
            manifest=told,
            files=read,
            form=form,
            support=support,
            people=people,
            likeness=likeness,
            changes=changes,
            messages=messages,
        )
    exports.service.note(file.got.exchange.id for file in exports.whole.files if file.got)
    return exports.whole


def _or_nothing(ask: Callable[[], _Found]) -> _Found | None:
    try:
        return ask()
    except OutOfTime:
        raise
    except NotTested:
        return None


def group(exam: Examination) -> frozenset[str]:
    """The ids of the patients of the group that is exported. NotTested where nobody says."""
    service = exam.exports.service
    return members(exam, service.value("group"), service.optional("patients"))


def singles(exam: Examination, of: Collection[str] | None) -> dict[tuple[str, str], Kept]:
    """What the server tells of each test patient of the group alone. NotTested where there is none."""
    charts = [chart for chart in exam.charts() if of is None or chart.id in of]
    found = {kept.key: kept for chart in charts for kept in chart.own.values()}
    if not found:
        raise NotTested("no test patient is in the group that is exported; enter one, or export another group")
    return found


def shown(read: Whole) -> None:
    """Raise NotTested where nothing was exported, or not all of it could be read."""
    if not read.files:
        raise NotTested("the export has no file", COMPLETED)
    if not all(file.ok for file in read.files):
        names = ", ".join(file.output.name for file in read.files if not file.ok)
        raise NotTested(f"not every file could be read: {names}", "DAT-PAT-14")


def said(read: Whole, rule: str) -> Iterator[Finding]:
    """A warning for each thing that the export itself says went wrong."""
    for file, number, text in read.messages.told:
        yield _line(
            file, number, rule, f"the export says that something went wrong: {text}", layer=Layer.API,
            severity=Severity.WARNING, expected="no message", found=text,
        )  # fmt: skip


def repeated(read: Whole, rule: str) -> Iterator[Finding]:
    """A warning for each resource of the sample that is exported twice: whoever counts lines counts it twice."""
    for file, number, name in read.changes.repeats:
        yield _line(
            file, number, rule, f"{name} is exported more than once", layer=Layer.API, severity=Severity.WARNING,
            path=name, expected="each resource once", found="a line with it before",
        )  # fmt: skip


def peopled(exam: Examination, read: Whole, rule: str) -> Iterator[Finding]:
    """Objections to an export of other patients than the group's, or to data of anybody else."""
    own = group(exam)
    if len(own) < 2:
        raise NotTested(f"there is {len(own)} patient in the group; two at least are needed")
    got, seen = read.manifest.got, read.people.seen
    for patient in sorted(own - seen):
        yield got.objection(
            rule, "a patient of the group is not in the export", layer=Layer.CONTENT, path="Patient",
            expected=f"Patient/{patient}", found=f"{len(seen & own)} of {len(own)} patients",
        )  # fmt: skip
    for file, number, name, patient in read.people.strangers:
        yield _line(
            file, number, rule, f"{name} is of nobody in the group", layer=Layer.SECURITY,
            expected="data of the group's patients", found=f"Patient/{patient}",
        )  # fmt: skip
    if (more := read.people.many - len(read.people.strangers)) > 0:
        yield got.objection(rule, f"{more:,} more resources are of nobody in the group", layer=Layer.SECURITY)


def alike(exam: Examination, read: Whole, rule: str) -> Iterator[Finding]:
    """Objections to what is told of a single patient and not, or otherwise, in the export."""
    single = singles(exam, group(exam))
    scope = _types(exam)
    missing = [single[each] for each in sorted(read.likeness.unseen)]
    left_out = [kept for kept in missing if kept.key[0] != "Patient" and (scope is None or kept.key[0] in scope)]
    for kept in left_out[:ROOM]:
        yield read.manifest.got.objection(
            rule, f"{kept.name} is told of the patient alone and not exported", layer=Layer.CONTENT, path=kept.name,
            expected=f"{kept.name}, as in exchange {kept.got.exchange.id}", found="no line with it",
        )  # fmt: skip
    if (more := len(left_out) - ROOM) > 0:
        yield read.manifest.got.objection(rule, f"{more:,} more resources are not exported", layer=Layer.CONTENT)
    for file, number, kept, odd in read.likeness.unlike:
        yield _line(
            file, number, rule, f"{kept.name} is exported otherwise than it is told of the patient alone",
            layer=Layer.CONTENT, path=f"{kept.name}.{odd}",
            expected=f"the {odd} of exchange {kept.got.exchange.id}", found=f"another {odd}",
        )  # fmt: skip


def _types(exam: Examination) -> frozenset[str] | None:
    """The types that the service's scope has; None is every one."""
    scopes = exam.exports.service.scope.split()
    types = {each.partition("/")[2].partition(".")[0] for each in scopes if each.startswith("system/")}
    return None if "*" in types else frozenset(types)


def unshown(exam: Examination, read: Whole) -> None:
    """Raise NotTested, naming them, where profiles have no resource in the export."""
    kinds = set(exam.us_core.searches) - set(exam.fhir.table.without)
    missing = read.support.without(kinds)
    if missing:
        names = ", ".join(profile.id for profile in missing)
        raise NotTested(f"no patient of the group has a resource of {names}; enter one of each")


def _line(
    file: File, number: int, rule: str, message: str, *, layer: Layer, severity: Severity = Severity.ERROR, **more: str
) -> Finding:
    """A finding at a line of a file."""
    return Finding(
        layer=layer,
        severity=severity,
        rule=rule,
        message=f"{file.output.name}, line {number}: {message}",
        path=more.get("path", file.output.url),
        line=number,
        expected=more.get("expected"),
        found=more.get("found"),
        exchange=file.got.exchange.id if file.got else None,
    )


# --- parts of an export


def of_asked_types(exam: Examination, export: Export, rule: str) -> Iterator[Finding]:
    """Objections to other types than were asked for, and to one of them that is left out."""
    told = exam.exports.told(export)
    there = {output.type for output in told.outputs}
    if "" in there:
        raise NotTested("the manifest does not say of what type each file is", COMPLETED)
    for kind in sorted(there - set(TYPES)):
        yield told.got.objection(
            rule, "holds what was not asked for", path="$.output", expected=f"_type={','.join(TYPES)}", found=kind
        )
    every = {output.type for output in manifest(exam).outputs}
    for kind in sorted((set(TYPES) & every) - there):
        yield told.got.objection(
            rule, "leaves out what was asked for", path="$.output", expected=kind, found=", ".join(sorted(there))
        )


def since(exam: Examination) -> tuple[Export, Export, Changes]:
    """The export of what changed after the middlemost change there was, and after the export of everything."""
    read = whole(exam)
    shown(read)
    moments = sorted(read.changes.sample.values())
    if not moments or not read.manifest.time:
        what = "says when it changed" if read.manifest.time else "is there as of a known time: transactionTime is none"
        raise NotTested(f"no resource {what}", None if moments else COMPLETED)
    middle = moments[len(moments) // 2].astimezone(UTC)
    early = of_group(exam, "since the middlemost change", _since=_written(middle))
    late = of_group(exam, "since the first export", _since=read.manifest.time)
    exports = exam.exports.begin([early, late])
    for export in exports:
        exam.exports.completed(export)
    return exports[0], exports[1], read.changes


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def changed_since(exam: Examination, both: tuple[Export, Export, Changes], rule: str) -> Iterator[Finding]:
    """Objections to exports of changes that leave one out, or hold what had not changed."""
    early, late, known = both
    for export in (early, late):
        if not export.address:
            yield export.kickoff.objection(rule, "_since was not taken", expected="HTTP 202", found=export.kickoff.said)
            return
    asked = watching.moment(dict(late.wanted.parameters)["_since"])
    unchanged = Changes(by=asked)
    exam.exports.fetched(late, [unchanged])
    for file, number, name, moment in unchanged.older:
        yield _line(
            file, number, rule, f"{name} had not changed since the moment asked for", layer=Layer.CONTENT,
            expected=f"changes after {asked}", found=moment,
        )  # fmt: skip
    if (more := unchanged.many - len(unchanged.older)) > 0:
        yield exam.exports.told(late).got.objection(rule, f"{more:,} more resources had not changed since then")
    middle = watching.moment(dict(early.wanted.parameters)["_since"])
    there = Changes()
    read = exam.exports.fetched(early, [there])
    if not all(file.ok and not file.many for file in read):
        raise NotTested("not every file could be read", "DAT-PAT-14")
    if len(there.sample) == watching.SAMPLE:
        return  # more than is remembered: what is left out cannot be told from what was forgotten
    for key, changed in known.sample.items():
        if middle is not None and changed > middle and key not in there.sample:
            yield exam.exports.told(early).got.objection(
                rule, f"{'/'.join(key)} changed and is left out", layer=Layer.CONTENT,
                expected=f"changes after {middle}, this one at {changed}", found="no line with it",
            )  # fmt: skip


def of_others(exam: Examination) -> Export:
    """The export of the other group, as far as it came. NotTested where the description has none."""
    wanted = of_other_group(exam)
    if wanted is None:
        exam.exports.service.value("other_group")
    begun(exam)
    [export] = exam.exports.begin([wanted] if wanted else [])
    return exam.exports.completed(export) if export.address else export


def other_patients(exam: Examination, export: Export, rule: str) -> Iterator[Finding]:
    """Objections to an export of the other group that holds the first group's patients, where it is not refused."""
    if not export.address:
        status = export.kickoff.exchange.status or 0
        if 200 <= status < 300:
            raise NotTested(f"the export {export.wanted.name} did not begin: {export.kickoff.said}", KICKED_OFF)
        if not 400 <= status < 500:
            yield export.kickoff.objection(rule, "is neither exported nor refused", found=export.kickoff.said)
        return
    own = members(exam, exam.exports.service.value("other_group"))
    people = People(own)
    patients = [each for each in exam.exports.told(export).outputs if each.type == "Patient"]
    exam.exports.fetched(export, [people], patients)
    for file, number, name, _ in people.strangers:
        yield _line(
            file, number, rule, f"{name} is not in the group", layer=Layer.SECURITY,
            expected="patients of the other group", found=name,
        )  # fmt: skip


# --- deletion


def deleted(exam: Examination, *, early: bool) -> list[Got]:
    """Delete an export that is under way, or the finished one; then its status. NotTested where none can be."""
    if not exam.exports.service.table.deletes:
        raise NotTested("the description says that exports are not deleted")
    if early:
        export = formats(exam)[0]
    else:
        export = completed(exam)
        whole(exam) if export.manifest else None
    return exam.exports.deleted(export)


def gone(answers: Sequence[Got], rule: str) -> Iterator[Finding]:
    """Objections to a deletion that is not accepted, or that leaves the export where it was."""
    deletion, status = answers
    if deletion.exchange.status != 202:
        yield deletion.objection(rule, "was not accepted", expected="HTTP 202", found=deletion.said)
    elif status.exchange.status != 404:
        yield status.objection(rule, "the export is still there", expected="HTTP 404", found=status.said)
    elif status.kind != "OperationOutcome":
        yield status.objection(
            rule, "does not say what became of it", expected="an OperationOutcome", found=status.kind or status.trouble
        )
