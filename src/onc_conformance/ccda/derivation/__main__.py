"""`python -m onc_conformance.ccda.derivation OFFICIAL.sch --to TABLE.json`: a table of facts out of an official file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from onc_conformance.ccda.derivation.schematron import derive, names


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
    known = {key: name for file in given.names for key, name in names(file).items()}
    derivation = derive(given.official, given.release, known)
    table = derivation.table
    taken = {
        (each["root"], each.get("extension"))
        for file in given.besides
        for each in json.loads(file.read_bytes())["templates"]
    }
    table["templates"] = [
        each
        for each in table["templates"]
        if (each["root"], each.get("extension") or None) not in taken and each.get("extension", "") < given.before
    ]
    for each in table["templates"]:
        _relax(each.get("blocks"), each.get("extension") or "")
        _disown(each)
    given.to.write_text(written(table), encoding="utf-8")
    rules = sum(
        len(block.get("rules", ())) + len(block.get("own", ()))
        for each in (*table["templates"], {"blocks": table["shared"]})
        for block in each.get("blocks", ())
    )
    print(
        f"{len(table['templates'])} templates, {rules} rules; {len(set(derivation.untestable))} numbers that the file leaves"
        f" untested; {len(derivation.bound)} bindings left to the vocabulary;"
        f" {len(derivation.unread)} tests or contexts without words for them",
        *(f"{pattern}: {trouble[:300]}" for pattern, trouble in derivation.unread),
        sep="\n",
        file=sys.stderr,
    )


def _relax(stated: Any, date: str) -> None:
    """Let a template ask for any release of a template that is younger than itself: it was there before the file was."""
    if isinstance(stated, dict):
        if "template" in stated and stated.get("extension", "") > date:
            del stated["extension"]
        for each in stated.values():
            _relax(each, date)
    elif isinstance(stated, list):
        for each in stated:
            _relax(each, date)


def _disown(template: dict[str, Any]) -> None:
    """Leave out that an element declares a parent template beside its own: ONC's own samples do not."""
    for block in template.get("blocks", ()):
        if "at" not in block and "rules" not in block:
            block["own"] = [
                fact for fact in block["own"] if "template" not in fact or fact["template"] == template["root"]
            ]


def written(table: dict[str, Any]) -> str:
    """The table as JSON, a template to a line, so that a change shows as the template it concerns."""
    parts = [f'"release": {json.dumps(table["release"])}']
    for group in ("templates", "shared"):
        lines = ",\n".join(json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in table[group])
        parts.append(f'"{group}": [\n{lines}\n]')
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    main()
