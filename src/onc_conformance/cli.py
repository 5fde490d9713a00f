"""The command `onc-conformance`: reads what was typed, calls the library, turns what went wrong into an exit code."""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onc_conformance
from onc_conformance.exits import Exit
from onc_conformance.findings import UsageError

if TYPE_CHECKING:
    from onc_conformance.options import RunOptions

Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (0 conforms, 1 objections, 2 usage, 3 unreachable, 4 ours, 130)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = parser().parse_args(arguments)
        options.command = shlex.join(["onc-conformance", *arguments])
        command: Command = options.do
        return int(command(options))
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


def _seconds(text: str) -> float:
    """A number of seconds that can pass."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text}: expected a number of seconds above 0")
    return seconds


def _number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a number from 1")
    return int(text)


def _compare(options: argparse.Namespace) -> int:
    from onc_conformance.report import changes

    found = changes.compare(changes.load(options.old), changes.load(options.new))
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
        sys.stdout.write(f"reference EHR ready at {ehr.url}\n")
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


_ABOUT_AN_API = {
    "auth": "how a client logs in: json (default), form, basic, static, oauth2_client, oauth2_jwt, none",
    "selection": "how the patient is chosen: search (default), credential_bound, launch_context",
    "documents": "how the C-CDA comes: raw (default), json, base64, xml, zip, docref",
    "dates": "how dates are asked for: pair (default), prefix_repeat, none",
}
"""The flags of `targets new`; on a terminal, without any of them, it asks."""


class _Version(argparse.Action):
    """Looks the version up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"onc-conformance {onc_conformance.__version__}\n")
        parser.exit()


def parser() -> argparse.ArgumentParser:  # noqa: PLR0915 - one line an option
    """What may be typed."""
    root = argparse.ArgumentParser(
        prog="onc-conformance",
        description="ONC's API certification procedures, 45 CFR 170.315(g)(7)-(g)(10), against a vendor's own API.",
    )
    root.add_argument("--version", action=_Version, nargs=0, help="show which version this is and exit")
    commands = root.add_subparsers(metavar="COMMAND", required=True)

    _run_options(commands.add_parser("run", help="run the procedures against a target, or the embedded reference EHR"))

    validate = commands.add_parser("validate", help="judge C-CDA documents and FHIR resources")
    validate.add_argument("path", nargs="+", metavar="PATH", help="file, folder, .zip, or - for standard input")
    validate.add_argument("--edition", metavar="ID")
    validate.add_argument("--expected", type=Path, metavar="FILE", help="the patient's expected record")
    validate.add_argument("--from", dest="since", metavar="DATE", help="first day the document was asked for")
    validate.add_argument("--to", dest="until", metavar="DATE", help="last day the document was asked for")
    validate.add_argument(
        "--rules", choices=("builtin", "official"), default="builtin",
        help="template rules: ours (default), or those of the standards imported",
    )  # fmt: skip
    validate.add_argument("--us-core", metavar="VERSION", help="of US Core, for FHIR; default: that of the edition")
    validate.add_argument("--profile", nargs="+", action="extend", metavar="URL|ID", help="profiles FHIR must keep to")
    validate.add_argument("--format", choices=("text", "json", "sarif"), default="text", help="default text")
    where = validate.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=_number, default=1, metavar="N", help="documents judged at once; default 1")
    where.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler whose workers judge, as tcp://host:8786")
    validate.set_defaults(do=_validate)

    serve = commands.add_parser("serve", help="run the embedded reference EHR until it is told to end")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=0, metavar="N", help="default: a free one")
    serve.add_argument("--charts", type=Path, metavar="DIR", help="C-CDA documents to serve instead of its own charts")
    serve.add_argument("--patients", nargs="+", action="extend", metavar="FILE|NAME")
    serve.add_argument(
        "--fhir",
        nargs="+",
        type=Path,
        action="extend",
        metavar="BUNDLE",
        help="FHIR resources to serve instead of its own",
    )
    serve.add_argument("--us-core", choices=("6.1.0", "7.0.0"), default="6.1.0", help="default: 6.1.0")
    serve.add_argument("--fault", nargs="+", action="extend", metavar="ID")
    serve.add_argument("--write-env", type=Path, metavar="FILE", help="write the variables that targets need")
    serve.set_defaults(do=_serve)

    targets = commands.add_parser("targets", help="target descriptions")
    actions = targets.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="bundled descriptions").set_defaults(do=_targets)
    for action, help_text in (("show", "print one"), ("new", "print a commented start for one"), ("check", "try one")):
        each = actions.add_parser(action, help=help_text)
        each.add_argument("name", metavar="NAME|FILE" if action == "check" else "NAME")
        each.set_defaults(do=_targets)
        if action == "new":
            for flag, about in _ABOUT_AN_API.items():
                each.add_argument(f"--{flag}", metavar="KIND", help=about)
        if action == "check":
            each.add_argument("--env-file", type=Path, metavar="FILE")
            each.add_argument("--patients", nargs="+", action="extend", metavar="FILE|NAME")
            each.add_argument("--data", action="store_true", help="list the facts that must be in the system first")

    _standards_options(commands.add_parser("standards", help="template rules at hand: ours, and HL7's own"))
    _vocabulary_options(commands.add_parser("vocabulary", help="value sets, and packs of your own"))

    compare = commands.add_parser("compare", help="what changed between two runs")
    compare.add_argument("old", type=Path, metavar="OLD", help="results.json, or the folder of a run")
    compare.add_argument("new", type=Path, metavar="NEW", help="likewise")
    compare.add_argument("--format", choices=("text", "json"), default="text")
    compare.set_defaults(do=_compare)

    for name, do, help_text in (
        ("matrix", _matrix, "every step of the procedures and what covers it"),
        ("faults", _faults, "every fault the reference EHR can be given and what it must turn red"),
    ):
        each = commands.add_parser(name, help=help_text)
        each.add_argument("--format", choices=("text", "json"), default="text")
        each.set_defaults(do=do)
    return root


def _standards_options(standards: argparse.ArgumentParser) -> None:
    actions = standards.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="what is at hand and where it comes from").set_defaults(do=_standards)
    actions.add_parser("check", help="whether all of it is whole and works").set_defaults(do=_standards)
    each = actions.add_parser("import", help="keep a C-CDA Schematron for validate --rules official, or a FHIR package")
    each.add_argument(
        "path", type=Path, metavar="PATH", help="the .sch file, its voc.xml beside it; or a FHIR package, .tgz"
    )
    each.add_argument("--codes", type=Path, metavar="FILE", help="the value sets it looks up (voc.xml or IHE SVS)")
    each.set_defaults(do=_standards)


def _vocabulary_options(vocabulary: argparse.ArgumentParser) -> None:
    actions = vocabulary.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="value sets, packs, and the state of the bindings").set_defaults(do=_vocabulary)
    pack = actions.add_parser("pack", help="make a pack of VSAC exports, FHIR value sets or tables, and use it")
    pack.add_argument("path", nargs="+", type=Path, metavar="PATH", help="SVS XML, ValueSet JSON, CSV, or folder")
    pack.set_defaults(do=_vocabulary)


def _run_options(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "--target",
        nargs="+",
        action="extend",
        metavar="NAME|FILE",
        help="bundled target, description file, or reference:NAME; default: all the reference EHR plays",
    )
    run.add_argument("--edition", metavar="ID", help="edition of the rules; default uscdi-v3")
    run.add_argument("--criterion", nargs="+", action="extend", metavar="g9,g10", help="criteria to run; default all")
    run.add_argument("--patients", nargs="+", action="extend", metavar="FILE|NAME", help="expected records")
    run.add_argument("--env-file", type=Path, metavar="FILE", help="NAME=value lines; the environment wins over it")
    run.add_argument("--attestations", type=Path, metavar="FILE", help="what people attest")
    run.add_argument("--excuses", type=Path, metavar="FILE", help="steps that may stay untested, why and until when")
    run.add_argument("--tags", default="", metavar="EXPR", help='pytest mark expression, as in "g9 and not beyond"')
    run.add_argument("--max-seconds", type=_seconds, metavar="N", help="end the run after so long, in order")
    run.add_argument("--evidence", choices=("full", "digest"), default="full", help="digest keeps no bodies")
    run.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="default reports/")
    run.add_argument("--fault", nargs="+", action="extend", metavar="ID", help="plant a fault in the reference EHR")
    run.add_argument(
        "--baseline", type=Path, metavar="RESULTS", help="earlier run to compare with; no effect on the code"
    )
    run.add_argument("--jobs", type=_number, default=1, metavar="N", help="targets examined at once; default 1")
    run.add_argument(
        "--replay", type=Path, metavar="RUN", help="judge the exchanges of an earlier run again, asking nobody"
    )
    run.add_argument(
        "--learn", type=Path, metavar="FILE", help="write down what a target tells of its patients, judging nothing"
    )
    run.set_defaults(do=_run, command="")


if __name__ == "__main__":
    sys.exit(main())
