"""`targets check`: a description tried on its API before a run, and the facts that must be in the system first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from onc_conformance import procedure, sheet, targets
from onc_conformance.examination import Examination
from onc_conformance.exchange import Journal
from onc_conformance.findings import UsageError
from onc_conformance.gate import Exit
from onc_conformance.judging import gold
from onc_conformance.options import env_file, patients_files
from onc_conformance.redaction import Secrets


def check(name: str, variables: Path | None, patients: Sequence[str], out: TextIO, *, data: bool) -> Exit:
    """Print a line for each thing tried, for the first patient; or, with `data`, the facts every patient needs."""
    environment = {**env_file(variables), **os.environ}
    named = list(patients) or [environment["ONC_PATIENTS"]] if patients or environment.get("ONC_PATIENTS") else []
    records = gold.expected(path for each in named for path in patients_files(each))
    if data:
        if not records:
            raise UsageError("targets check --data: no test patients; name a patients file with --patients")
        for record in records:
            out.writelines(f"{line}\n" for line in sheet.lines(record))
        return Exit.CONFORMS
    target = targets.load(name, environment)
    client = Examination(target, Journal(Secrets()), records, procedure.edition(None)).client  # which launches apps
    first = records[0] if records else None
    rows = list(targets.check(client, first.patient_variables() if first else None, first.vars if first else None))
    for row in rows:
        told = f": {row.detail}" if row.detail else ""
        at = f" [{row.exchange}]" if row.exchange else ""
        out.write(f"{row.outcome:<8} {row.what}{told}{at}\n")
    failed = [row for row in rows if row.outcome == "failed"]
    if any(row.what == "log in" or row.detail.startswith("unreachable: ") for row in failed):
        return Exit.UNREACHABLE
    return Exit.OBJECTIONS if failed else Exit.CONFORMS
