"""`targets check`: a description tried on its API before a run, and the facts that must be in the system first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from onc_conformance import targets, uscdi
from onc_conformance.exchange import Journal
from onc_conformance.findings import UsageError
from onc_conformance.gate import Exit
from onc_conformance.record import Record
from onc_conformance.record import load as load_records
from onc_conformance.redaction import Secrets
from onc_conformance.running import env_file, patients_file


def check(name: str, variables: Path | None, patients: Sequence[str], out: TextIO, *, data: bool) -> Exit:
    """Print a line for each thing tried, for the first patient; or, with `data`, the facts every patient needs."""
    environment = {**env_file(variables), **os.environ}
    named = list(patients) or [environment["ONC_PATIENTS"]] if patients or environment.get("ONC_PATIENTS") else []
    records = [record for each in named for record in load_records(patients_file(each))]
    if data:
        if not records:
            raise UsageError("targets check --data: no test patients; name a patients file with --patients")
        for record in records:
            _list(record, out)
        return Exit.CONFORMS
    target = targets.load(name, environment)
    client = targets.Client(target, Journal(Secrets()))
    first = records[0] if records else None
    rows = list(targets.check(client, first.patient_variables() if first else None, first.vars if first else None))
    out.writelines(f"{row.outcome:<8} {row.what}{f': {row.detail}' if row.detail else ''}\n" for row in rows)
    failed = [row for row in rows if row.outcome == "failed"]
    if any(row.what == "log in" for row in failed):
        return Exit.UNREACHABLE
    return Exit.OBJECTIONS if failed else Exit.CONFORMS


def _list(record: Record, out: TextIO) -> None:
    out.write(f"{record.id}: {record.title}\n")
    out.write(f"  {record.name.family}, {' '.join(record.name.given)}; born {record.birth_date}; {record.sex}\n")
    for fact in record.facts:
        marks = [mark for mark in ("optional", "visual", "no_information") if getattr(fact, mark)]
        told = f" ({', '.join(marks)})" if marks else ""
        out.write(f"  {uscdi.title(fact.kind)}: {fact}{told}\n")
