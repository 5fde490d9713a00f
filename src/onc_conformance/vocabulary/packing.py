"""`vocabulary pack`: a user's files made into a dated pack that every later judgement uses."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from onc_conformance.findings import UsageError
from onc_conformance.vocabulary import packs, valuesets
from onc_conformance.vocabulary.reading import SUFFIXES, Content, merged, read


def pack(paths: Sequence[Path], today: date) -> packs.Pack:
    """Read files and folders of them, write the pack, and return it. Raises UsageError for what cannot be packed.

    A pack is written whole or not at all; packing the same files again on a day replaces what they made before.
    """
    files = _files(paths)
    contents = merged((path, content) for path in files for content in read(path))
    sha256 = _sha256(files)
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(paths[0]).stem).strip("-.") or "pack"
    name = stem if len(files) == 1 else f"{stem}+{len(files) - 1}"
    where = packs.folder() / f"{today.isoformat()}-{name[:60]}-{sha256[:12]}"
    head = {"name": name, "date": today.isoformat(), "sha256": sha256, "sources": [path.name for path in files]}
    try:
        _write(where, head, contents)
    except OSError as error:
        raise UsageError(f"{where}: the pack cannot be written: {error.strerror or error}") from error
    valuesets.forget()
    return next(each for each in packs.installed() if each.folder == where)


def _files(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())
            if not inside:
                raise UsageError(f"{path}: no {', '.join(SUFFIXES)} file is in it")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"{path}: there is no such file")
    return found


def _sha256(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _write(where: Path, head: dict[str, Any], contents: Sequence[Content]) -> None:
    where.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where.parent, prefix=".making-") as making:
        made = Path(making) / "pack"
        made.mkdir()
        for content in contents:
            (made / _file(content)).write_text(json.dumps(content.codes, ensure_ascii=False), encoding="utf-8")
        told = {**head, "sets": list(map(_entry, contents))}
        (made / packs.HEAD).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if where.exists():
            shutil.rmtree(where)
        made.rename(where)


def _entry(content: Content) -> dict[str, Any]:
    return {
        "oid": content.oid, "name": content.name, "version": content.version, "codes": content.size,
        "complete": content.complete, "file": _file(content),
    }  # fmt: skip


def _file(content: Content) -> str:
    return f"{content.oid}.json"
