"""The command `onc-conformance`: reads what was typed, calls the library, turns what went wrong into an exit code."""

from __future__ import annotations

import argparse
import gc
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onc_conformance.exits import Exit
from onc_conformance.findings import UsageError
from onc_conformance.typed import parser

if TYPE_CHECKING:
    from onc_conformance.options import RunOptions

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (0 conforms, 1 objections, 2 usage, 3 unreachable, 4 ours, 130)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parser().parse_args(arguments)
        options.command = shlex.join(["onc-conformance", *arguments])
        return int(_COMMANDS[options.do](options))
    except SystemExit as leaving:  # argparse has said what is wrong
        return int(leaving.code or 0)
    except UsageError as error:
        return _complain(str(error), Exit.USAGE)
    except KeyboardInterrupt:
        return _complain("interrupted", Exit.INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.CONFORMS)
    except Exception as error:
        if os.environ.get("ONC_CONFORMANCE_TRACEBACK"):
            raise
        where = f"{type(error).__name__}: {error}".splitlines()[0]
        return _complain(f"a fault in this tool: {where}; set ONC_CONFORMANCE_TRACEBACK=1 to see where", Exit.FAULT)


def _complain(message: str, code: Exit) -> int:
    sys.stderr.write(f"onc-conformance: {message}\n")
    return int(code)


def _run(options: argparse.Namespace) -> int:
    from rich.console import Console

    from onc_conformance import report, running
    from onc_conformance.report import terminal
    from onc_conformance.vocabulary import packs

    gc.set_threshold(100_000, 20, 100)  # answers stay to the end of a run: looking through them finds nothing
    packs.installed()  # one that cannot be read is told before anything is asked
    if options.learn:
        from onc_conformance import learning

        return int(learning.learn(run_options(options), options.learn, sys.stderr))
    with terminal.progress(Console(file=sys.stderr)) as told:
        finished = running.run(run_options(options), told)
    if finished.folder:
        latest = report.point_latest(finished.folder)
        terminal.close(finished.run, latest, Console(highlight=False, soft_wrap=True))
    return int(finished.code)


def run_options(options: argparse.Namespace) -> RunOptions:
    """What `run` was asked for, out of what was parsed."""
    from onc_conformance.options import RunOptions

    return RunOptions(
        targets=options.target or (),
        edition=options.edition,
        criteria=_listed(options.criterion),
        patients=options.patients or (),
        env_file=options.env_file,
        attestations=options.attestations,
        excuses=options.excuses,
        tags=options.tags,
        evidence=options.evidence,
        reports=options.reports,
        faults=_listed(options.fault) or (),
        max_seconds=options.max_seconds,
        jobs=options.jobs,
        baseline=options.baseline,
        replay=options.replay,
        command=options.command,
    )


def _listed(values: Sequence[str] | None) -> list[str] | None:
    """Names given one by one or separated by commas."""
    if not values:
        return None
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _compare(options: argparse.Namespace) -> int:
    from onc_conformance.report import changes, resultsfile

    found = changes.compare(resultsfile.load(options.old), resultsfile.load(options.new))
    if options.format == "json":
        _print_json(found.as_json())
    else:
        sys.stdout.writelines(f"{line}\n" for line in changes.lines(found))
    return int(Exit.OBJECTIONS if found.regressed else Exit.CONFORMS)


def _validate(options: argparse.Namespace) -> int:
    from onc_conformance import batch, procedure
    from onc_conformance.vocabulary import packs

    packs.installed()  # one that cannot be read is told before anything is judged
    try:
        return batch.validate(
            options.path,
            edition=procedure.edition(options.edition).id,
            expected=options.expected,
            first=options.since,
            last=options.until,
            rules=options.rules,
            us_core=options.us_core,
            profiles=options.profile,
            form=options.format,
            jobs=options.jobs,
            cluster=options.cluster,
        )
    except batch.OutOfReach as error:
        return _complain(str(error), Exit.UNREACHABLE)


def _serve(options: argparse.Namespace) -> int:
    from onc_conformance import serving

    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    faults = _listed(options.fault) or ()
    with serving.serving(
        options.host,
        options.port,
        options.charts,
        options.patients or (),
        faults,
        options.fhir or (),
        options.us_core,
    ) as ehr:
        if options.write_env:
            serving.write_env(ehr, options.write_env)
        for note in ehr.notes:
            sys.stderr.write(f"{note}\n")
        sys.stdout.write(f"reference EHR ready at {ehr.url}, by TLS at {ehr.secure_url}\n")
        sys.stdout.flush()
        ended.wait()
    return int(Exit.CONFORMS)


def _targets(options: argparse.Namespace) -> int:
    from onc_conformance import checking, targets

    if options.action == "list":
        for row in targets.listing():
            sys.stdout.write("\t".join(row) + "\n")
        return int(Exit.CONFORMS)
    if options.action == "show":
        sys.stdout.write(targets.show(options.name))
        return int(Exit.CONFORMS)
    if options.action == "new":
        given = {name: getattr(options, name) for name in targets.QUESTIONS}
        asking = sys.stdin.isatty() and not any(given.values())
        chosen = {name: value for name, value in given.items() if value}
        choices = targets.asked(given, sys.stdin, sys.stderr) if asking else targets.Choices(**chosen)
        sys.stdout.write(targets.new(options.name, choices))
        return int(Exit.CONFORMS)
    return int(checking.check(options.name, options.env_file, options.patients or (), sys.stdout, data=options.data))


def _standards(options: argparse.Namespace) -> int:
    from onc_conformance import holdings

    if options.action == "list":
        return int(holdings.told(sys.stdout))
    if options.action == "check":
        return int(holdings.checked(sys.stdout))
    return int(holdings.taken_in(options.path, options.codes, sys.stdout))


def _vocabulary(options: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    if options.action == "list":
        from onc_conformance.ccda.coded import listing

        sys.stdout.writelines(f"{line}\n" for line in listing.lines())
        return int(Exit.CONFORMS)
    from onc_conformance.vocabulary import packing

    made = packing.pack(options.path, datetime.now(tz=UTC).date())
    for each in made.sets:
        partly = "" if each["complete"] else ", not all of them"
        sys.stdout.write(f"{each['oid']}\t{each['name']}\t{each['codes']} codes{partly}\n")
    sys.stdout.write(f"pack {made.label}, sha256 {made.sha256}, is used from now on: {made.folder}\n")
    return int(Exit.CONFORMS)


def _matrix(options: argparse.Namespace) -> int:
    from onc_conformance import matrix, procedure

    rows = matrix.rows()
    if options.format == "json":
        _print_json(rows)
        return int(Exit.CONFORMS)
    paragraph = None
    for row in rows:
        if row["paragraph"] != paragraph:
            paragraph = row["paragraph"]
            sys.stdout.write(f"\n{paragraph} {procedure.load().steps[row['id']].title}\n")
        sys.stdout.write(f"  {row['id']:<16} {row['coverage']:<10} {row['text']}\n")
        for name in row["scenarios"]:
            sys.stdout.write(f"  {'':<27} - {name}\n")
        if row["us_core"]:
            told = (f"{version} {len(kinds) or ''}".rstrip() for version, kinds in row["us_core"].items())
            words = "US Core, with the number of types" if any(row["us_core"].values()) else "US Core"
            sys.stdout.write(f"  {'':<27} {words}: {', '.join(told)}\n")
        for words, versions in (("SMART App Launch", row["smart"]), ("Bulk Data Access", row["bulk"])):
            if versions:
                sys.stdout.write(f"  {'':<27} {words}: {', '.join(versions)}\n")
    return int(Exit.CONFORMS)


def _faults(options: argparse.Namespace) -> int:
    from onc_conformance.reference.faults import CATALOGUE

    if options.format == "json":
        _print_json(
            [
                {
                    "id": fault.id,
                    "title": fault.title,
                    "criterion": fault.criterion,
                    "breaks": fault.breaks,
                    "options": list(fault.options),
                    "steps": list(fault.steps),
                }
                for fault in CATALOGUE
            ]
        )
        return int(Exit.CONFORMS)
    for fault in CATALOGUE:
        sys.stdout.write(f"{fault.id}  [{fault.criterion}]  {fault.title}\n    breaks: {fault.breaks}\n")
        sys.stdout.write(f"    turns red: {', '.join(fault.steps)}\n")
    return int(Exit.CONFORMS)


def _print_json(value: Any) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


_COMMANDS: Mapping[str, Command] = {
    "compare": _compare,
    "faults": _faults,
    "matrix": _matrix,
    "run": _run,
    "serve": _serve,
    "standards": _standards,
    "targets": _targets,
    "validate": _validate,
    "vocabulary": _vocabulary,
}
"""What is done, by what was typed."""


if __name__ == "__main__":
    sys.exit(main())
