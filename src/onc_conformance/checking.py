"""`targets check`: a description tried on its API before a run, and the facts that must be in the system first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from onc_conformance import targets, uscdi, windows
from onc_conformance.exchange import Journal
from onc_conformance.findings import UsageError
from onc_conformance.gate import Exit
from onc_conformance.judging import gold
from onc_conformance.options import env_file, patients_files
from onc_conformance.record import Record
from onc_conformance.record.facts import Fact
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
            _list(record, out)
        return Exit.CONFORMS
    target = targets.load(name, environment)
    client = targets.Client(target, Journal(Secrets()))
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


def _list(record: Record, out: TextIO) -> None:
    """What a person has to enter for one patient, by data class, and what the suite will miss if it is not there."""
    out.write(f"{record.id}: {record.title} ({record.setting})\n")
    variables = record.patient_variables()
    out.write(
        f"  Patient: {record.name.family}, {' '.join(record.name.given)}; born {record.birth_date}; {record.sex}\n"
    )
    shown = [f"{name}: {value}" for name in ("middle", "prefix", "suffix") if (value := variables.get(name))]
    shown += [f"language: {record.language}"] if record.language else []
    shown += [f"race: {', '.join(map(str, record.race))}"] if record.race else []
    shown += [f"ethnicity: {record.ethnicity}"] if record.ethnicity else []
    shown += [_address(each) for each in record.address] + [str(each.get("value", "")) for each in record.telecom]
    out.writelines(f"    {each}\n" for each in filter(None, shown))
    for kind in dict.fromkeys(fact.kind for fact in record.facts):
        out.write(f"  {uscdi.title(kind)}\n")
        for fact in record.of(kind):
            marks = [mark for mark in ("optional", "visual", "no_information") if getattr(fact, mark)]
            told = f" ({', '.join(marks)})" if marks else ""
            out.write(f"    {fact}{_measured(fact)}{told}\n")
    wanted = {
        kind for category in uscdi.categories().values() for kind in category.kinds if category.name in targets.CCDS
    }
    without = [uscdi.title(kind) for kind in sorted(wanted - {fact.kind for fact in record.facts})]
    if without:
        out.write(f"  no fact of: {', '.join(without)}; completeness of these is not shown by this patient\n")
    days = windows.exact_days(windows.dated(record))
    if len(days) < 2:
        out.write("  fewer than two dated days: requests by date show nothing with this patient\n")


def _measured(fact: Fact) -> str:
    """The value of a result or a vital sign, and the end of what has ended."""
    value, unit = fact.attributes.get("value"), fact.attributes.get("unit", "")
    measured = "" if value is None else f" = {value} {unit}".rstrip()
    return f"{measured} to {fact.end}" if fact.end else measured


def _address(address: Mapping[str, Any]) -> str:
    parts = [*address.get("line", ()), *(address.get(name, "") for name in ("city", "state", "postal_code", "country"))]
    return ", ".join(filter(None, map(str, parts)))
