"""`python -m onc_conformance.ccda.derivation OFFICIAL.sch --to TABLE.json`: a table of facts from an official file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from onc_conformance.ccda.derivation.schematron import Derivation, derive, names
from onc_conformance.ccda.derivation.selection import select


def main() -> None:
    """Write the table; say on standard error what of the file is not in it."""
    parser = argparse.ArgumentParser(prog="python -m onc_conformance.ccda.derivation", description=__doc__)
    parser.add_argument("official", type=Path, help="the Schematron file")
    parser.add_argument("--to", type=Path, required=True, help="the table to write")
    parser.add_argument("--release", required=True, help="what the file is of, as in 'C-CDA R2.1'")
    parser.add_argument("--names", type=Path, action="append", default=[], help="a further file that names templates")
    parser.add_argument(
        "--besides", type=Path, action="append", default=[], help="a table whose templates to leave out"
    )
    parser.add_argument("--before", default="9999", help="leave out templates whose extension is not before this date")
    given = parser.parse_args()
    derivation = derive(
        given.official, given.release, {key: name for file in given.names for key, name in names(file).items()}
    )
    taken = {
        (each["root"], each.get("extension"))
        for file in given.besides
        for each in json.loads(file.read_bytes())["templates"]
    }
    given.to.write_text(written(select(derivation.table, taken, given.before)), encoding="utf-8")
    sys.stderr.writelines(f"{line}\n" for line in _report(derivation))


def written(table: dict[str, Any]) -> str:
    """The table as JSON, a template to a line, so that a change shows as the template it concerns."""
    parts = [f'"release": {json.dumps(table["release"])}']
    for group in ("templates", "shared"):
        lines = ",\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in table[group])
        parts.append(f'"{group}": [\n{lines}\n]')
    return "{" + ",\n".join(parts) + "}\n"


def _report(derivation: Derivation) -> list[str]:
    blocks = [block for each in derivation.table["templates"] for block in each["blocks"]] + derivation.table["shared"]
    rules = sum(len(block.get("rules", ())) + len(block.get("own", ())) for block in blocks)
    return [
        f"{len(derivation.table['templates'])} templates, {rules} rules",
        f"{len(set(derivation.untestable))} numbers that the file leaves untested",
        f"{len(derivation.bound)} bindings left to the vocabulary",
        f"{len(derivation.unread)} tests or contexts without words for them",
        *(f"{pattern}: {trouble[:300]}" for pattern, trouble in derivation.unread),
    ]


if __name__ == "__main__":
    main()
