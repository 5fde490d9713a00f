"""The documents of a benchmark: a folder's, or the reference EHR's own; and one of any size, for growth."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

V3 = "{urn:hl7-org:v3}"
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)


def of_folder(folder: Path) -> list[Path]:
    """Every *.xml of a folder that is well-formed, so that every contender can read it."""
    files = sorted(path for path in folder.rglob("*.xml") if path.is_file())
    return [path for path in files if _well_formed(path)]


def of_reference(folder: Path) -> list[Path]:
    """The CCD of each patient the reference EHR brings, written into a folder."""
    from onc_conformance.reference import ccd, charts

    written = []
    for chart in charts.load(charts.bundled()):
        written.append(folder / f"{chart.id}.xml")
        written[-1].write_bytes(ccd.document(chart, document_id=str(uuid.uuid5(uuid.NAMESPACE_URL, chart.id))))
    return written


def of_sizes(base: Path, folder: Path) -> Iterator[Path]:
    """The base made as small or as large as each size: entries taken away, or repeated with ids of their own."""
    for size in SIZES:
        file = folder / f"{size}.xml"
        file.write_bytes(_of_size(base.read_bytes(), size))
        yield file


def _of_size(data: bytes, size: int) -> bytes:
    root = etree.fromstring(data, etree.XMLParser(remove_blank_text=True))
    entries = list(root.iter(f"{V3}entry"))
    length = len(etree.tostring(root))
    while length > size and (entries or list(root.iter(f"{V3}section"))):
        last = entries.pop() if entries else list(root.iter(f"{V3}section"))[-1].getparent()
        length -= len(etree.tostring(last))
        last.getparent().remove(last)
    lengths = [len(etree.tostring(each)) for each in entries]
    number = 0
    while entries and length < size:
        entry = entries[number % len(entries)]
        entry.addnext(_again(entry, number))
        length += lengths[number % len(entries)]
        number += 1
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _again(entry: etree._Element, number: int) -> etree._Element:
    """The same entry as another act: its ids are of its own, its text is that of the first."""
    other = copy.deepcopy(entry)
    for place, each in enumerate(other.iter(f"{V3}id")):
        if each.get("root"):
            each.set("root", str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}.{place}")))
    return other


def _well_formed(path: Path) -> bool:
    try:
        root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    except etree.XMLSyntaxError:
        return False
    return root.tag == f"{V3}ClinicalDocument"
