"""What the suite makes of exports: the sentences about a group's data, from kick-off to deletion."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from onc_conformance.bulk import manifest as manifests
from onc_conformance.bulk import watching
from onc_conformance.bulk.exports import COMPLETED, KICKED_OFF, Export, Exports, Wanted, Whole, asked_pause
from onc_conformance.bulk.files import File
from onc_conformance.bulk.manifest import Manifest
from onc_conformance.bulk.service import NDJSON
from onc_conformance.bulk.watching import Changes, Form, Likeness, People, Support
from onc_conformance.examination import Examination
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.capability import resources
from onc_conformance.fhirwork.chart import Kept
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, OutOfTime, Severity
from onc_conformance.spoiling import never_issued

OPERATION = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export"
FORMATS = (NDJSON, "application/ndjson", "ndjson")
NO_FORMAT = "application/vnd.no-such-format"
TYPES = ("Patient", "Condition")
LONGEST_PROGRESS = 100
"""Characters of X-Progress."""
ROOM = 10
"""How many resources that are left out are named."""
_Found = TypeVar("_Found")


# --- what is asked for


def version(exam: Examination) -> str:
    """Of Bulk Data Access: that of the description, or else of the edition."""
    return exam.exports.service.table.version or exam.edition.bulk


def of_group(exam: Examination, name: str = "of the group", **parameters: str) -> Wanted:
    """An export of the group."""
    path = f"Group/{exam.exports.service.value('group')}/$export"
    return Wanted(name=name, path=path, parameters=tuple(parameters.items()))


def of_types(exam: Examination) -> Wanted:
    """Of two types of its resources alone."""
    return of_group(exam, "of two types", _type=",".join(TYPES))


def of_other_group(exam: Examination) -> Wanted | None:
    """Of the other group, where the description has one."""
    other = exam.exports.service.optional("other_group")
    return Wanted(name="of the other group", path=f"Group/{other}/$export") if other else None


def begun(exam: Examination) -> Export:
    """The export of the group, and beside it those that need not wait for its end."""
    wanted = [of_group(exam), of_types(exam), of_other_group(exam)]
    return exam.exports.begin([each for each in wanted if each])[0]


def completed(exam: Examination) -> Export:
    """The same, as far as it came."""
    return exam.exports.completed(begun(exam))


def typed(exam: Examination) -> Export:
    """The export of two types. NotTested where the server does not take `_type`, which it need not."""
    begun(exam)
    return _taken(exam.exports, of_types(exam), "_type")


def formats(exam: Examination) -> list[Export]:
    """The export of the group by each name of the format, deleted when it has begun."""
    found = []
    for name in FORMATS:
        [export] = exam.exports.begin([of_group(exam, f"as {name}", _outputFormat=name)])
        if export.address and exam.exports.service.table.deletes:
            exam.exports.deleted(export)
        found.append(export)
    return found


def _taken(exports: Exports, wanted: Wanted, parameter: str) -> Export:
    [export] = exports.begin([wanted])
    status = export.kickoff.exchange.status or 0
    if 400 <= status < 500 and export.kickoff.kind == "OperationOutcome":
        raise NotTested(f"the server does not take {parameter}: {export.kickoff.said}")
    return exports.completed(export)


# --- capability and kick-off


def capability(exam: Examination) -> Got:
    """The answer to the capabilities interaction, which needs no token."""
    service = exam.exports.service
    return exam.exports.once("metadata", lambda: service.get(f"{service.base}/metadata", "what the server can do"))


def declared(got: Got, rule: str) -> Iterator[Finding]:
    """An objection to a statement that does not declare the export of groups."""
    if got.kind != "CapabilityStatement":
        yield got.objection(rule, "was not answered", expected="a CapabilityStatement", found=got.said)
        return
    told = resources(got).get("Group", {}).get("operation")
    operations = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    if not any(str(each.get("definition")).partition("|")[0] == OPERATION for each in operations):
        named = any(each.get("name") in {"export", "group-export"} for each in operations)
        yield got.objection(
            rule,
            "the export of groups is not declared by its definition",
            severity=Severity.WARNING if named else Severity.ERROR,
            path="CapabilityStatement.rest.resource.where(type = 'Group').operation",
            expected=OPERATION,
            found=", ".join(str(each.get("definition") or each.get("name")) for each in operations) or "none",
        )


def accepted(export: Export, rule: str) -> Iterator[Finding]:
    """Objections to the answer to a kick-off."""
    got, told = export.kickoff, export.kickoff.exchange.header("content-location")
    if got.exchange.status != 202:
        yield got.objection(rule, "was not accepted", expected="HTTP 202 and Content-Location", found=got.said)
    elif not told or urlsplit(told).scheme not in {"http", "https"}:
        yield got.objection(
            rule, "does not say where its status is told", path="Content-Location",
            expected="an absolute address", found=told or "nothing",
        )  # fmt: skip


# --- status and manifest


def followed(exam: Examination, export: Export, rule: str) -> Iterator[Finding]:
    """Objections to the answers on the way to the manifest."""
    service = exam.exports.service
    if not service.trusts(export.address):
        yield export.kickoff.objection(
            rule, "its status is told by another server, which gets no token", layer=Layer.SECURITY,
            path="Content-Location", expected=f"an address at {service.base}", found=export.address,
        )  # fmt: skip
    for got in export.polls:
        progress, pause = got.exchange.header("x-progress"), got.exchange.header("retry-after")
        if got.exchange.status == 202 and progress and len(progress) > LONGEST_PROGRESS:
            yield got.objection(
                rule, "X-Progress is long", severity=Severity.WARNING, path="X-Progress",
                expected=f"at most {LONGEST_PROGRESS} characters", found=f"{len(progress)}",
            )  # fmt: skip
        if got.exchange.status == 202 and pause and asked_pause(got) is None:
            yield got.objection(
                rule, "Retry-After says no time", path="Retry-After", expected="seconds, or a date of HTTP", found=pause
            )
    if export.manifest is None:
        yield export.last.objection(
            rule, "the export never came to its end", expected="HTTP 200 and a manifest", found=export.stopped
        )


def manifest(exam: Examination) -> Manifest:
    """The manifest of the export of the group. NotTested where there is none."""
    return exam.exports.told(begun(exam))


def in_order(exam: Examination, told: Manifest, rule: str) -> Iterator[Finding]:
    """Objections to the manifest of the export of the group."""
    yield from manifests.judged(told, begun(exam).kickoff.exchange.url, version(exam), rule)
    yield from manifests.expiry(told.got, rule, promised=exam.exports.service.table.expires)


# --- what must be refused


def untokened(exam: Examination) -> Got:
    """A kick-off without a token."""
    return exam.exports.once("untokened", lambda: exam.exports.asked(of_group(exam, "without a token"), token=""))


def mistokened(exam: Examination) -> Got:
    """A kick-off with a token that was never issued."""
    token = never_issued(exam.exports.service.bearer())
    exam.journal.secrets.add(token)
    return exam.exports.once("mistokened", lambda: exam.exports.asked(of_group(exam, "with no token"), token=token))


def nobody(exam: Examination) -> Got:
    """A kick-off of a group that there is not."""
    group = never_issued(exam.exports.service.value("group"))
    wanted = Wanted(name="of a group that there is not", path=f"Group/{group}/$export")
    return exam.exports.once("nobody", lambda: exam.exports.asked(wanted))


def misformatted(exam: Examination) -> Got:
    """A kick-off in a format that nobody writes."""
    wanted = of_group(exam, "in a format that there is not", _outputFormat=NO_FORMAT)
    return exam.exports.once("misformatted", lambda: exam.exports.asked(wanted))


def synchronous(exam: Examination) -> Got:
    """A kick-off that does not ask for an asynchronous answer; what it begins is deleted."""
    wanted = of_group(exam, "not asked for asynchronously")
    got = exam.exports.once("synchronous", lambda: exam.exports.asked(wanted, asynchronous=False))
    _undone(exam, wanted, got)
    return got


def narrow(exam: Examination) -> Export | None:
    """An export of another type than the token's scope has; None where it is refused."""
    scope = exam.exports.service.narrow_scope
    name = f"of Condition with a token for {scope}"
    wanted = Wanted(name=name, path=of_group(exam).path, parameters=(("_type", "Condition"),), scope=scope)
    [export] = exam.exports.begin([wanted])
    return exam.exports.completed(export) if export.address else None


def _undone(exam: Examination, wanted: Wanted, got: Got) -> None:
    export = Export(wanted, got)
    if export.address and exam.exports.service.table.deletes and wanted.name not in exam.exports.begun:
        exam.exports.begun[wanted.name] = export
        exam.exports.deleted(export)


def unseen(exam: Examination) -> Got:
    """The status of the export of the group, asked for without a token."""
    export = completed(exam)
    service = exam.exports.service
    return exam.exports.once("unseen", lambda: service.get(export.address, "status without a token"))


def unread(exam: Examination) -> Got:
    """The first file, asked for without a token; NotApplicable where the manifest says that none is needed."""
    told = manifest(exam)
    if not isinstance(told.told.get("requiresAccessToken"), bool):
        raise NotTested("the manifest does not say whether files need a token", COMPLETED)
    if not told.guarded:
        raise NotApplicable("the manifest says that files need no token")
    if not told.outputs:
        raise NotTested("the export has no file", COMPLETED)
    service, url = exam.exports.service, told.outputs[0].url
    return exam.exports.once("unread", lambda: service.get(url, "a file without a token", accept=NDJSON))


def refused(got: Got, statuses: Sequence[int], rule: str, *, told: bool = True) -> Iterator[Finding]:
    """Objections to an answer that is no refusal with one of these statuses; it has to say why where `told`."""
    status = got.exchange.status
    if status is None or status not in statuses:
        wanted = f"HTTP {statuses[0]}" if len(statuses) < 3 else "HTTP 4xx"
        yield got.objection(
            rule, "was not refused as it must be", layer=Layer.SECURITY, expected=wanted, found=got.said
        )
    elif got.kind != "OperationOutcome":
        yield got.objection(
            rule, "the refusal does not say why", severity=Severity.ERROR if told else Severity.WARNING,
            expected="an OperationOutcome", found=got.kind or got.trouble,
        )  # fmt: skip


def asynchronous(exam: Examination, got: Got, rule: str) -> Iterator[Finding]:
    """Objections to a kick-off without Prefer that is answered at once; taking it all the same is advised against."""
    status = got.exchange.status or 0
    if status == 202:
        if version(exam) == "1.0.1":
            yield got.objection(
                rule, "was accepted without Prefer", severity=Severity.WARNING, expected="HTTP 400", found=got.said
            )
    else:
        yield from refused(got, range(400, 500), rule)


def within_scope(export: Export | None, rule: str) -> Iterator[Finding]:
    """Objections to files of types that the token's scope does not have."""
    told = export.manifest.outputs if export and export.manifest else ()
    for output in told:
        if export and output.type == "Condition":
            yield export.last.objection(
                rule, "data beyond the token's scope are exported", layer=Layer.SECURITY,
                path=f"$.output[{output.number - 1}]", expected=f"what {export.wanted.scope} opens", found=output.type,
            )  # fmt: skip


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
        read = exports.fetched(export, [form, support, people, likeness, changes])
        exports.whole = Whole(export, told, read, form, support, people, likeness, changes)
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


def _line(file: File, number: int, rule: str, message: str, *, layer: Layer, **more: str) -> Finding:
    """A finding at a line of a file."""
    return Finding(
        layer=layer,
        severity=Severity.ERROR,
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
    exam.exports.fetched(export, [people], only=lambda output: output.type == "Patient")
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
