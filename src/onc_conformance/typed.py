"""What may be typed: every command and its options, and nothing of what they do."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import onc_conformance

ABOUT_AN_API = {
    "auth": "how a client logs in: json (default), form, basic, static, oauth2_client, oauth2_jwt, none",
    "selection": "how the patient is chosen: search (default), credential_bound, launch_context",
    "documents": "how the C-CDA comes: raw (default), json, base64, xml, zip, docref",
    "dates": "how dates are asked for: pair (default), prefix_repeat, none",
}
"""The flags of `targets new`; on a terminal, without any of them, it asks."""


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


class _Version(argparse.Action):
    """Looks the version up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"onc-conformance {onc_conformance.__version__}\n")
        parser.exit()


def parser() -> argparse.ArgumentParser:
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
    validate.set_defaults(do="validate")

    _serve_options(commands.add_parser("serve", help="run the embedded reference EHR until it is told to end"))

    targets = commands.add_parser("targets", help="target descriptions")
    actions = targets.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="bundled descriptions").set_defaults(do="targets")
    for action, help_text in (("show", "print one"), ("new", "print a commented start for one"), ("check", "try one")):
        each = actions.add_parser(action, help=help_text)
        each.add_argument("name", metavar="NAME|FILE" if action == "check" else "NAME")
        each.set_defaults(do="targets")
        if action == "new":
            for flag, about in ABOUT_AN_API.items():
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
    compare.set_defaults(do="compare")

    for name, help_text in (
        ("matrix", "every step of the procedures and what covers it"),
        ("faults", "every fault the reference EHR can be given and what it must turn red"),
    ):
        each = commands.add_parser(name, help=help_text)
        each.add_argument("--format", choices=("text", "json"), default="text")
        each.set_defaults(do=name)
    return root


def _serve_options(serve: argparse.ArgumentParser) -> None:
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
    serve.add_argument(
        "--us-core", choices=("3.1.1", "6.1.0", "7.0.0", "8.0.0"), default="6.1.0", help="default: 6.1.0"
    )
    serve.add_argument("--fault", nargs="+", action="extend", metavar="ID")
    serve.add_argument("--write-env", type=Path, metavar="FILE", help="write the variables that targets need")
    serve.set_defaults(do="serve")


def _standards_options(standards: argparse.ArgumentParser) -> None:
    actions = standards.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="what is at hand and where it comes from").set_defaults(do="standards")
    actions.add_parser("check", help="whether all of it is whole and works").set_defaults(do="standards")
    each = actions.add_parser("import", help="keep a C-CDA Schematron for validate --rules official, or a FHIR package")
    each.add_argument("path", type=Path, metavar="PATH", help="a .sch file, its voc.xml beside it; or a .tgz of FHIR")
    each.add_argument("--codes", type=Path, metavar="FILE", help="the value sets it looks up (voc.xml or IHE SVS)")
    each.set_defaults(do="standards")


def _vocabulary_options(vocabulary: argparse.ArgumentParser) -> None:
    actions = vocabulary.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="value sets, packs, and the state of the bindings").set_defaults(do="vocabulary")
    pack = actions.add_parser("pack", help="make a pack of VSAC exports, FHIR value sets or tables, and use it")
    pack.add_argument("path", nargs="+", type=Path, metavar="PATH", help="SVS XML, ValueSet JSON, CSV, or folder")
    pack.set_defaults(do="vocabulary")


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
    run.set_defaults(do="run", command="")
