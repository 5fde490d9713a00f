"""Where a run is written: a folder of its own under the reports folder, and `latest` beside it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from onc_conformance.findings import UsageError

EVIDENCE = "evidence"
POINTER = "latest.txt"
"""Names the newest run where `latest` cannot be a link."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk or a closed folder into a UsageError of one line."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise UsageError(
            f"{where}: cannot be written: {error.strerror or error}; free some space or choose another folder"
        ) from error


def put(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all: what a full disk cuts short is not left behind."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        fresh.write_bytes(content.encode() if isinstance(content, str) else content)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        error.filename = str(path)
        raise


def run_folder(reports: Path, started: datetime) -> Path:
    """Create and return a new folder named after the UTC time of the start; names sort by time."""
    name = started.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    with writing(reports):
        reports.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            folder = reports / (name if number == 1 else f"{name}-{number:02}")
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    raise AssertionError  # pragma: no cover - count() does not end


def point_latest(folder: Path) -> Path:
    """Let `latest` beside `folder` lead to it; returns the link, or the folder itself where only a text file can."""
    latest = folder.parent / "latest"
    pointer = folder.parent / POINTER
    with writing(folder.parent):
        fresh = folder.parent / f".latest-{os.getpid()}"
        try:
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(folder.name, target_is_directory=True)
            fresh.replace(latest)
        except OSError:  # no links here, or `latest` is a real folder somebody made
            fresh.unlink(missing_ok=True)
            pointer.write_text(f"{folder.name}\n", encoding="utf-8")
            return folder
        pointer.unlink(missing_ok=True)
        return latest
