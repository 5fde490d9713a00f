"""Expected records in whatever form somebody has them: a patients file, a gold C-CDA, or a FHIR Bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from onc_conformance import record
from onc_conformance.ccda import Document, tables
from onc_conformance.fhir import patients as resources
from onc_conformance.fhir import reading
from onc_conformance.findings import Severity, UsageError
from onc_conformance.record import writing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onc_conformance.record import Record


def expected(paths: Iterable[Path]) -> list[Record]:
    """The records of every file. UsageError, one line with file, line and key, on the first thing wrong.

    No patient may be in two of them.
    """
    return record.together((path, load(path)) for path in map(Path, paths))


def load(path: Path) -> list[Record]:
    """The records of one file, which is taken for what its content is, whatever it is called."""
    gold = table(path)
    return record.load(path) if gold is None else record.of_tables([gold], path)


def as_patients_files(paths: Iterable[Path], folder: Path) -> list[Path]:
    """The files, each that is none of ours written into `folder` as a patients file, for those who read no other."""
    files: list[Path] = []
    for number, path in enumerate(paths):
        gold = table(path)
        if gold is None:
            files.append(path)
            continue
        record.of_tables([gold], path)
        files.append(folder / f"{number}-{path.stem}.toml")
        files[-1].write_text(writing.toml([gold]), encoding="utf-8")
    return files


def table(path: Path) -> dict[str, Any] | None:
    """The patient of a gold document or a bundle in the form of a patients file; None for a patients file itself.

    A document may break every rule of its schema and templates: what it says of its patient counts.
    """
    record.regular(path)
    try:
        data = path.read_bytes()
    except OSError:
        return None  # which the reader of patients files says in its own words
    start = data.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if start == b"<":
        return _of_document(path, data)
    if start == b"{":
        return _of_bundle(path, data)
    return None


def _of_document(path: Path, data: bytes) -> dict[str, Any]:
    doc = Document(data)
    if doc.root is None or not doc.is_whole:
        said = next(iter(doc.findings), None)
        line = f", line {said.line}" if said and said.line else ""
        what = said.message if said else f"is a {doc.type}, not a whole ClinicalDocument"
        raise UsageError(f"{path}{line}: no C-CDA to take an expected record from: {what}")
    try:
        return tables.patient([doc])
    except ValueError as error:
        raise UsageError(f"{path}, line {doc.root.sourceline}: recordTarget: {error}") from None


def _of_bundle(path: Path, data: bytes) -> dict[str, Any] | None:
    told = reading.read(data)
    wrong = next((each for each in told.findings if each.severity is Severity.ERROR), None)
    content = told.resource
    if wrong is not None:
        if path.suffix.lower() in {".yaml", ".yml"} and "resourceType" not in (content or {}):
            return None
        at = f", line {wrong.line}" if wrong.line else ""
        found = f" ({wrong.found})" if wrong.found else ""
        raise UsageError(f"{path}{at}: {wrong.message}{found}; expected a FHIR Bundle")
    if "patient" in content and "resourceType" not in content:
        return None  # a patients file in YAML that is JSON
    if not content.get("resourceType"):
        raise UsageError(f"{path}, line 1: resourceType: is missing; expected a FHIR Bundle")
    try:
        return resources.patient(content)
    except ValueError as error:
        raise UsageError(f"{path}: {content['resourceType']}: {error}") from None
    except (AttributeError, KeyError, TypeError):
        said = "what it tells of the patient is not in the form of FHIR R4; `validate` says where"
        raise UsageError(f"{path}: {content['resourceType']}: {said}") from None
