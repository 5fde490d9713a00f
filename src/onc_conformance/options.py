"""What `run` was asked for, and the files it names that are neither targets nor reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onc_conformance import suite
from onc_conformance.findings import UsageError


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What `run` was asked for, as typed."""

    targets: Sequence[str] = ()
    edition: str | None = None
    criteria: Sequence[str] | None = None
    patients: Sequence[str] = ()
    env_file: Path | None = None
    attestations: Path | None = None
    excuses: Path | None = None
    tags: str = ""
    evidence: str = "full"
    reports: Path | None = Path("reports")
    """Where to write; None writes nothing."""
    faults: Sequence[str] = ()
    max_seconds: float | None = None
    """How long the run may take: what is not tested by then is reported as not tested."""
    jobs: int = 1
    """Targets examined at once."""
    baseline: Path | None = None
    """The earlier run to compare with."""
    replay: Path | None = None
    """The earlier run whose recording is judged again instead of asking."""
    command: str = ""


_PATIENTS = {".toml", ".yaml", ".yml"}


def patients_files(name: str) -> list[Path]:
    """A file by its path or a bundled one by its name; a folder is all patients files in it."""
    bundled = suite.schemas() / "patients"
    for path in (Path(name), bundled / f"{name}.toml", bundled / name):
        if path.is_file():
            return [path]
        if path.is_dir() and (inside := sorted(each for each in path.iterdir() if each.suffix in _PATIENTS)):
            return inside
    known = (path.relative_to(bundled).with_suffix("") for path in bundled.rglob("*.toml"))
    names = sorted({str(each) for path in known for each in (path, path.parent) if each.name})
    raise UsageError(f"--patients {name}: no such file, nor one of the bundled {', '.join(names)}")


def env_file(path: Path | None) -> dict[str, str]:
    """`NAME=value` lines; blank lines and `#` comments are passed over."""
    if path is None:
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--env-file {path}: cannot be read: {error}; expected NAME=value lines") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{path}, line {number}: expected NAME=value")
        found[name.strip().removeprefix("export ")] = value.strip()
    return found
