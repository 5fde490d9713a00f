"""`run --learn`: what a live target tells of its test patients, as a patients file for a person to correct."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from onc_conformance import judging, procedure, record, uscdi
from onc_conformance.candidates import Candidate, candidates
from onc_conformance.ccda import Document, tables
from onc_conformance.examination import Examination
from onc_conformance.exchange import Journal
from onc_conformance.findings import UsageError
from onc_conformance.gate import Exit
from onc_conformance.options import RunOptions
from onc_conformance.record import KINDS, writing
from onc_conformance.redaction import Secrets
from onc_conformance.reply import Subject

Table = dict[str, Any]


def learn(options: RunOptions, path: Path, out: TextIO) -> Exit:
    """Ask one target for the data of each patient and write them to `path`, which must not be there yet.

    A line for each patient. 1 where the target told nothing of a patient, 3 where it could not be reached.
    """
    if path.exists():
        raise UsageError(f"--learn {path}: is there already and may be corrected; name another file, or move it away")
    if options.replay or options.faults:
        raise UsageError("--learn asks a live target; leave --replay and --fault out")
    if len(options.targets) != 1:
        raise UsageError("--learn writes down what one target tells; name it with --target")
    edition = procedure.edition(options.edition)
    with candidates(options) as chosen:
        secrets = Secrets()
        exam = Examination(chosen[0].target, Journal(secrets), chosen[0].records, edition)
        subjects = exam.subjects
        if trouble := exam.trouble():
            out.write(f"{exam.target.id}: {secrets.mask_text(trouble)}\n")
            return Exit.UNREACHABLE
        known = _tables(chosen[0])
        patients, silent = [], []
        for subject in subjects:
            facts, note = _told(exam, subject)
            own = _unspoken(known[subject.id], exam)
            patients.append(_sound(own, facts, path))
            silent += [] if facts else [subject.id]
            count = sum(len(patients[-1].get(kind, ())) for kind in KINDS)
            out.write(f"{subject.id}: {count} facts{f'; {secrets.mask_text(note)}' if note else ''}\n")
        _write(path, secrets.mask_values(writing.toml(patients, _head(exam, silent))))
    return Exit.OBJECTIONS if silent else Exit.CONFORMS


def _tables(candidate: Candidate) -> dict[str, Table]:
    """Who the patients are, as their files have it, without facts."""
    found: dict[str, Table] = {}
    for file in candidate.files:
        for patient in record.raw(file):
            found[patient["id"]] = {key: value for key, value in patient.items() if key not in KINDS}
    return found


def _told(exam: Examination, subject: Subject) -> tuple[Mapping[str, Sequence[Table]], str]:
    """The facts of the all-data document, and of the categories where that tells nothing; and what was in the way."""
    selected = exam.resolve(subject)
    if not selected.processed:
        return {}, f"could not be selected: {selected.answer.kind} {selected.answer.message}".rstrip()
    replies = [exam.all_data(subject)] if exam.offers("all_data") else []
    if not any(reply.readable for reply in replies) and exam.offers("category"):
        replies = [exam.category(subject, name) for name in exam.target.supported if uscdi.categories()[name].kinds]
    documents = [document for reply in replies if reply.ok for document in reply.documents]
    strangers = [each for each in documents if _somebody_elses(each, subject)]
    documents = [each for each in documents if each.root is not None and each not in strangers]
    note = f"{len(strangers)} answers of somebody else left out" if strangers else ""
    return tables.facts(documents), note or ("" if documents else "no document could be read")


def _somebody_elses(document: Document, subject: Subject) -> bool:
    return document.is_whole and any(finding.severity == "error" for finding in judging.whose(document, subject.record))


def _unspoken(patient: Table, exam: Examination) -> Table:
    """The patient without secrets: a variable that holds one names the environment instead."""
    own = {
        name: f"{{env.{name}}}" if exam.target.is_secret(name) and "{env." not in text else text
        for name, text in patient.get("vars", {}).items()
    }
    return patient | ({"vars": own} if own else {})


def _sound(patient: Table, facts: Mapping[str, Sequence[Table]], path: Path) -> Table:
    """The patient with those facts that a patients file can hold."""
    whole = patient | {kind: list(each) for kind, each in facts.items()}
    try:
        record.of_tables([whole], path)
    except UsageError:
        encounters = list(facts.get("encounters", ()))
        return patient | {
            kind: [each for each in those if _holds(patient, kind, each, encounters, path)]
            for kind, those in facts.items()
        }
    return whole


def _holds(patient: Table, kind: str, fact: Table, encounters: Sequence[Table], path: Path) -> bool:
    alone = {key: value for key, value in fact.items() if key != "part_of"}
    try:
        record.of_tables([patient | {"encounters": encounters, kind: [alone]}], path)
    except UsageError:
        return False
    return True


def _head(exam: Examination, silent: Sequence[str]) -> list[str]:
    title = exam.target.title
    lines = [
        f"What {title} ({exam.target.id}) told on {datetime.now(UTC).date()}: a draft, not yet what is expected.",
        "Read it against what was entered into the system: correct what is wrong, add what is missing, remove what",
        "should not be there. Mark `optional = true` what may be absent, `visual = true` what only a person can judge.",
    ]
    return lines + ([f"Nothing was told of: {', '.join(silent)}."] if silent else [])


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"--learn {path}: cannot be written: {error.strerror}") from None
