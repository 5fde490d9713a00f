"""What US Core's pages say beyond its profiles, out of schemas/us-core/guidance.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from onc_conformance import suite


@cache
def told() -> Mapping[str, Mapping[str, Any]]:
    """`either`, `unneeded`, `notes` and `facts`."""
    return tomllib.loads((suite.schemas() / "us-core" / "guidance.toml").read_text(encoding="utf-8"))
