"""Value sets out of a user's files: VSAC's SVS XML, FHIR ValueSets and Bundles of them as JSON, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from onc_conformance.findings import UsageError
from onc_conformance.vocabulary import identifiers, systems
from onc_conformance.vocabulary.valuesets import by_canonical

MAX_BYTES = 200 * 1024 * 1024
"""Larger files are refused unread."""
SUFFIXES = (".xml", ".json", ".csv", ".tsv", ".txt")
_COLUMNS = {
    "set": ("value set oid", "valueset oid", "valuesetoid", "value set", "valueset", "oid"),
    "code": ("code", "concept code", "conceptcode"),
    "system": ("code system oid", "codesystem oid", "codesystemoid", "code system", "codesystem", "system"),
    "display": ("display", "display name", "displayname", "descriptor", "description"),
    "name": ("value set name", "valueset name", "valuesetname", "name"),
    "version": ("value set version", "version", "definition version"),
}
_NEEDED = ("set", "code", "system")


@dataclass(slots=True)
class Content:
    """One value set as a file states it."""

    oid: str
    name: str
    version: str | None
    complete: bool = True
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """`{system: {code: display}}`; a system is an OID, or the URI where we know no OID for it."""

    def add(self, system: str, code: str, display: str) -> None:
        """Take in a code; the first display that says something stays."""
        known = self.codes.setdefault(system, {})
        known[code] = known.get(code) or display

    @property
    def size(self) -> int:
        """How many codes it has."""
        return sum(map(len, self.codes.values()))


def read(path: Path) -> list[Content]:
    """Every value set of one file. Raises UsageError, in one line, for anything that is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: larger than {MAX_BYTES // 1024 // 1024} MB; split the file")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise UsageError(f"{path}: the file is empty")
    if start.startswith(b"<"):
        found = _svs(path, data)
    elif start.startswith((b"{", b"[")):
        found = _fhir(path, data)
    else:
        found = _csv(path, data)
    for each in found:
        if not each.size:
            raise UsageError(f"{path}: value set {each.oid} lists no codes; export its expansion")
    if not found:
        raise UsageError(f"{path}: no value set is in it")
    return found


def merged(contents: Iterable[tuple[Path, Content]]) -> list[Content]:
    """Sets that several files state in parts made one. Raises UsageError where two versions of a set meet."""
    together: dict[str, Content] = {}
    for path, content in contents:
        first = together.setdefault(content.oid, content)
        if first is content:
            continue
        if content.version and first.version and content.version != first.version:
            raise UsageError(
                f"{path}: value set {content.oid} is there in two versions, {first.version} and {content.version}; "
                "pack one of them"
            )
        first.complete = first.complete and content.complete
        for system, codes in content.codes.items():
            for code, display in codes.items():
                first.add(system, code, display)
    return [together[oid] for oid in sorted(together)]


def _svs(path: Path, data: bytes) -> list[Content]:
    found: list[Content] = []
    events = etree.iterparse(
        io.BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=True, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    root = None
    try:
        for event, element in events:
            tag = str(element.tag).rpartition("}")[2]
            if root is None:
                root = element
                if element.getroottree().docinfo.doctype:
                    raise UsageError(f"{path}: declares a document type; entities are never expanded")
                if not tag.startswith("Retrieve"):
                    raise UsageError(f"{path}: <{tag}> is no RetrieveValueSet or RetrieveMultipleValueSets response")
            if event == "start" and tag in ("ValueSet", "DescribedValueSet"):
                found.append(_described(path, element))
            elif event == "end" and tag == "Concept" and found:
                code, system = (element.get("code") or "").strip(), (element.get("codeSystem") or "").strip()
                if not code or not identifiers.oid(system):
                    raise UsageError(f"{path}: a Concept of {found[-1].oid} has no code or no codeSystem OID")
                found[-1].add(system, code, element.get("displayName") or "")
                element.clear()
    except etree.XMLSyntaxError as error:
        raise UsageError(f"{path}: not well-formed XML: {' '.join(str(error.msg).split())}") from error
    return found


def _described(path: Path, element: Any) -> Content:
    oid = (element.get("id") or element.get("ID") or "").removeprefix("urn:oid:")
    if not identifiers.oid(oid):
        raise UsageError(f"{path}: a value set has no OID; expected the attribute id or ID")
    return Content(oid, element.get("displayName") or oid, element.get("version"))


def _fhir(path: Path, data: bytes) -> list[Content]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON: {str(error) or 'nested too deeply'}") from error
    resources = told if isinstance(told, list) else [told]
    found = []
    for resource in resources:
        if not isinstance(resource, dict):
            raise UsageError(f"{path}: expected a FHIR ValueSet or a Bundle of them")
        if resource.get("resourceType") == "Bundle":
            inside = _objects([entry.get("resource") for entry in _objects(resource.get("entry"))])
            found += [_value_set(path, each) for each in inside if each.get("resourceType") == "ValueSet"]
        elif resource.get("resourceType") == "ValueSet":
            found.append(_value_set(path, resource))
        else:
            raise UsageError(f"{path}: resourceType is {resource.get('resourceType')!r}; expected ValueSet or Bundle")
    return found


def _value_set(path: Path, resource: Mapping[str, Any]) -> Content:
    content = Content(_oid(path, resource), _text(resource, "title") or _text(resource, "name") or "", None)
    content.version = _text(resource, "version") or None
    content.name = content.name or content.oid
    expansion = resource.get("expansion")
    try:
        if isinstance(expansion, dict):
            entries = list(_contained(expansion.get("contains")))
            content.complete = _count(expansion.get("total"), len(entries)) <= len(entries)
        else:
            compose = resource.get("compose")
            entries = list(_composed(content, compose if isinstance(compose, dict) else {}))
    except RecursionError as error:
        raise UsageError(f"{path}: the expansion of {content.oid} is nested too deeply") from error
    for system, code, display in entries:
        content.add(systems.by_uri(system) or system, code, display)
    return content


def _count(total: object, otherwise: int) -> int:
    return total if isinstance(total, int) else otherwise


def _contained(entries: object) -> Iterator[tuple[str, str, str]]:
    for entry in _objects(entries):
        if _text(entry, "code") and not entry.get("abstract"):
            yield _text(entry, "system"), _text(entry, "code"), _text(entry, "display")
        yield from _contained(entry.get("contains"))


def _composed(content: Content, compose: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    excluded = {
        (_text(part, "system"), _text(concept, "code"))
        for part in _objects(compose.get("exclude"))
        for concept in _objects(part.get("concept"))
    }
    for part in _objects(compose.get("include")):
        concepts = _objects(part.get("concept"))
        if not concepts or part.get("filter") or part.get("valueSet"):
            content.complete = False
        for concept in concepts:
            if (_text(part, "system"), _text(concept, "code")) not in excluded:
                yield _text(part, "system"), _text(concept, "code"), _text(concept, "display")


def _oid(path: Path, resource: Mapping[str, Any]) -> str:
    named = [_text(each, "value") for each in _objects(resource.get("identifier"))]
    for name in (*named, _text(resource, "url")):
        oid = name.removeprefix("urn:oid:")
        if identifiers.oid(oid):
            return oid
    url = _text(resource, "url").partition("|")[0]
    oid = by_canonical(url) or url.rpartition("/")[2]
    if not identifiers.oid(oid):
        raise UsageError(f"{path}: no OID is known for the value set {url or '(without url)'}; state it as identifier")
    return oid


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value.strip() if isinstance(value, str) else ""


def _csv(path: Path, data: bytes) -> list[Content]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: neither XML, JSON nor a table in UTF-8") from error
    head = text.partition("\n")[0]
    delimiter = max(",\t;", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found: dict[str, Content] = {}
    try:
        columns = _columns(path, next(rows))
        for row in rows:
            if any(cell.strip() for cell in row):
                _row(path, rows.line_num, columns, row, found)
    except csv.Error as error:
        raise UsageError(f"{path}, line {rows.line_num}: no table: {error}") from error
    return list(found.values())


def _columns(path: Path, heads: list[str]) -> dict[str, int]:
    plain = [head.strip().lower().replace("_", " ") for head in heads]
    columns = {}
    for column, names in _COLUMNS.items():
        place = next((plain.index(name) for name in names if name in plain), None)
        if place is not None:
            columns[column] = place
    missing = [_COLUMNS[column][0] for column in _NEEDED if column not in columns]
    if missing:
        raise UsageError(f"{path}: the table has no column {', '.join(missing)}; its first line names the columns")
    return columns


def _row(path: Path, line: int, columns: Mapping[str, int], row: list[str], found: dict[str, Content]) -> None:
    def cell(column: str) -> str:
        place = columns.get(column)
        return row[place].strip() if place is not None and place < len(row) else ""

    oid, code, system = cell("set").removeprefix("urn:oid:"), cell("code"), cell("system").removeprefix("urn:oid:")
    named = systems.named(system)
    known = system if identifiers.oid(system) else systems.by_uri(system) or (min(named) if len(named) == 1 else None)
    if not identifiers.oid(oid) or "." not in oid:
        raise UsageError(f"{path}, line {line}: {oid!r} is no OID of a value set")
    if not code or known is None or not known:
        raise UsageError(
            f"{path}, line {line}: expected a code and a code system by OID or name, found {code!r}, {system!r}"
        )
    content = found.setdefault(oid, Content(oid, cell("name") or oid, cell("version") or None))
    if cell("version") and content.version != cell("version"):
        raise UsageError(
            f"{path}, line {line}: value set {oid} is there in two versions, {content.version} and {cell('version')}; "
            "pack one of them"
        )
    content.add(known, code, cell("display"))
