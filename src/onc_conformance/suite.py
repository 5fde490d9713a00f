"""Where the suite's own files are: beside this package in a checkout, inside it once installed."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).parent


def root() -> Path:
    """The directory that holds features/, steps/ and schemas/."""
    return PACKAGE if (PACKAGE / "features").is_dir() else PACKAGE.parents[1]


def schemas() -> Path:
    """The directory of facts as data."""
    return root() / "schemas"


def imported() -> Path:
    """The directory of what a user imported: standards, vocabulary packs. It need not exist.

    `ONC_CONFORMANCE_DATA` names it, else it is where the XDG base directory specification puts data.
    """
    if named := os.environ.get("ONC_CONFORMANCE_DATA"):
        return Path(named)
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "onc-conformance"


def step_modules(package: str | None) -> list[str]:
    """Name the step modules as siblings of a conftest that was imported as part of `package`."""
    prefix = f"{package}.steps" if package else "steps"
    return sorted(
        f"{prefix}.{path.stem}" for path in (root() / "steps").glob("*.py") if not path.stem.startswith(("_", "test_"))
    )
