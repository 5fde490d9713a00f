"""What the suite makes of exports before their files: begun, followed to the manifest, refused where they must be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from onc_conformance.bulk import manifest as manifests
from onc_conformance.bulk.exports import COMPLETED, Export, Exports, Wanted, asked_pause
from onc_conformance.bulk.manifest import Manifest
from onc_conformance.bulk.service import NDJSON
from onc_conformance.examination import Examination
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.capability import resources
from onc_conformance.findings import Finding, Layer, NotApplicable, NotTested, Severity
from onc_conformance.spoiling import never_issued

OPERATION = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export"
FORMATS = (NDJSON, "application/ndjson", "ndjson")
NO_FORMAT = "application/vnd.no-such-format"
TYPES = ("Patient", "Condition")
LONGEST_PROGRESS = 100
"""Characters of X-Progress."""


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
        wanted = f"HTTP {statuses[0]}" if len(statuses) < 4 else "HTTP 4xx"
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
