"""One contender over some documents, in a process of its own: prints what it took as JSON.

    python tools/bench/contenders.py NAME ROUNDS OPTIONS < list of files

Each document is judged ROUNDS times and the median counts, parsing included. OPTIONS is a JSON object.
"""

from __future__ import annotations

import copy
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Judge = Callable[[bytes], dict[str, float]]
"""Seconds by layer, or {"total": ...}; and how many objections there were as "found"."""
SVRL = {"svrl": "http://purl.oclc.org/dsdl/svrl"}
_NO_CODES = "<systems xmlns='http://www.lantanagroup.com/voc'/>"


def ours(_options: dict[str, Any]) -> Judge:
    """Every layer there is, parsed to judged."""
    from onc_conformance import judging

    def judge(data: bytes) -> dict[str, float]:
        judgement = judging.judge(data, "uscdi-v3")
        spent = {name: seconds for name, seconds in judgement.seconds.items() if seconds is not None}
        return {**spent, "found": len(judgement.findings)}

    return judge


def xmlschema(options: dict[str, Any]) -> Judge:
    """The package `xmlschema` on a schema of CDA."""
    import xmlschema as package
    from lxml import etree

    schema = package.XMLSchema(options["xsd"])
    return _timed(lambda data: sum(1 for _ in schema.iter_errors(etree.fromstring(data))))


def isoschematron(options: dict[str, Any]) -> Judge:
    """Lxml's ISO Schematron (libxslt) on an official file, error phase."""
    from lxml import etree, isoschematron as package

    judge = package.Schematron(
        _rules(options), phase=options["phase"], store_report=True, validate_schema=False,
        error_finder=etree.XPath("//svrl:failed-assert", namespaces=SVRL),
    )  # fmt: skip

    def run(data: bytes) -> int:
        judge.validate(etree.fromstring(data))
        return len(judge.validation_report.xpath("//svrl:failed-assert", namespaces=SVRL))

    return _timed(run)


def saxonc(options: dict[str, Any]) -> Judge:
    """SaxonC on the same file, compiled to XSLT by the skeleton that lxml ships."""
    import saxonche
    from lxml import etree, isoschematron as package

    compiled = package.iso_svrl_for_xslt1(
        package.iso_abstract_expand(package.iso_dsdl_include(_rules(options))),
        phase=etree.XSLT.strparam(options["phase"]),
    )
    processor = saxonche.PySaxonProcessor(license=False)
    stylesheet = processor.new_xslt30_processor().compile_stylesheet(stylesheet_text=etree.tostring(compiled).decode())

    def run(data: bytes) -> int:
        report = stylesheet.transform_to_string(xdm_node=processor.parse_xml(xml_text=data.decode()))
        return str(report).count("<svrl:failed-assert")

    return _timed(run)


def _rules(options: dict[str, Any]) -> Any:
    """The file, its look-ups led to the vocabulary given; without one they find nothing."""
    from lxml import etree

    codes = Path(options["work"]) / "voc.xml"
    codes.write_text(Path(options["voc"]).read_text("utf-8") if options["voc"] else _NO_CODES, "utf-8")
    text = Path(options["sch"]).read_text("utf-8").replace("document('voc.xml')", f"document('{codes.as_uri()}')")
    return etree.fromstring(text.encode())


def _timed(run: Callable[[bytes], int]) -> Judge:
    def judge(data: bytes) -> dict[str, float]:
        began = time.perf_counter()
        found = run(data)
        return {"total": time.perf_counter() - began, "found": found}

    return judge


CONTENDERS = {"ours": ours, "xmlschema": xmlschema, "isoschematron": isoschematron, "saxonc": saxonc}


def peak() -> float:
    """The most memory this process took, in MB; Linux only, else 0."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0.0
    return next(int(line.split()[1]) for line in status.read_text("ascii").splitlines() if line[:5] == "VmHWM") / 1024


def main(name: str, rounds: int, options: dict[str, Any]) -> None:
    """Judge the documents named on standard input and print what it took."""
    began = time.perf_counter()
    judge = CONTENDERS[name](options)
    files = sys.stdin.read().splitlines()
    judge(Path(files[0]).read_bytes())
    start = time.perf_counter() - began
    told = []
    for file in files:
        data = Path(file).read_bytes()
        runs = [judge(copy.copy(data)) for _ in range(rounds)]
        told.append({"bytes": len(data), **{key: statistics.median(each[key] for each in runs) for key in runs[0]}})
    json.dump({"start": start, "documents": told, "peak": peak()}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))
