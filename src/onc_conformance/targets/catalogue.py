"""Bundled descriptions listed, shown and begun anew, and a description tried on its API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from onc_conformance.findings import UsageError
from onc_conformance.moments import Days
from onc_conformance.targets.loading import bundled, text_of, unbound
from onc_conformance.targets.terms import CCDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from onc_conformance.targets.answers import Answer
    from onc_conformance.targets.client import Client
    from onc_conformance.targets.session import Session
    from onc_conformance.targets.target import Target

_SKELETON = Path(__file__).with_name("skeleton") / "new.toml"
_ID = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing tried on a target: what, how it went (ok, warning, failed, skipped), and in which words."""

    what: str
    outcome: str
    detail: str
    exchange: str = ""


def listing() -> list[tuple[str, str, str]]:
    """Id, title and claimed criteria of each bundled description."""
    rows = []
    for name in bundled():
        target = unbound(text_of(name), f"{name}.toml")
        rows.append((target.id, target.title, ",".join(target.criteria)))
    return rows


def show(name: str) -> str:
    """The TOML of a bundled description."""
    return text_of(name)


def new(name: str) -> str:
    """A commented description to begin with; `name` becomes its id and the prefix of its environment variables."""
    if not _ID.fullmatch(name):
        raise UsageError(f"{name!r}: not a name for a target; expected lower-case letters, digits, - and _")
    prefix = re.sub(r"\W", "_", name).upper()
    return _SKELETON.read_text(encoding="utf-8").replace("@NAME@", name).replace("@PREFIX@", prefix)


def check(
    client: Client,
    patient: Mapping[str, str] | None = None,
    vars: Mapping[str, str] | None = None,  # noqa: A002 - the word of the patients file
) -> Iterator[Row]:
    """Try a description: does the login work and, with a patient, what does each operation return."""
    target = client.target
    yield from _declared(target)
    session = client.session(patient or {}, vars or {})
    logged_in = session.login()
    yield _row("log in", logged_in)
    if not logged_in.ok:
        return
    if patient is None and target.description.ops.select_patient is not None:
        yield Row("select_patient", "skipped", "needs a patient: name a patients file with --patients")
        return
    selected = session.select()
    yield _row("select_patient", selected)
    if selected.ok:
        yield from _asked(target, session)


def _declared(target: Target) -> Iterator[Row]:
    yield Row("description", "ok", f"{target.source}: {target.title}, criteria {', '.join(target.criteria)}")
    for warning in target.warnings:
        yield Row("secrets", "warning", warning)
    for place, names in target.missing_optional.items():
        yield Row(place, "warning", f"not tried: {' and '.join(names)} not set")
    missing = [name for name in CCDS if not target.supports(name)]
    if target.description.ops.category is not None and missing:
        yield Row("categories", "warning", f"no request for {', '.join(missing)}")
    assumed = [name for name in target.supported if (entry := target.category(name)) and entry.assumed]
    if assumed:
        yield Row("categories", "warning", f"assumed, not documented: {', '.join(assumed)}")


def _asked(target: Target, session: Session) -> Iterator[Row]:
    if target.description.ops.category is not None:
        for name in target.supported:
            yield _row(f"category {name}", session.category(name))
    if target.description.ops.all_data is not None:
        yield _row("all_data", session.all_data())
        if target.description.dates.style != "none":
            window = Days(date(1900, 1, 1), date(2100, 12, 31))
            yield _row(f"all_data, {window}", session.all_data(window))


def _row(what: str, answer: Answer) -> Row:
    exchange = answer.exchanges[-1] if answer.exchanges else ""
    if answer.ok:
        size = sum(len(document.data) for document in answer.documents)
        pat_id = answer.captures.get("pat_id")
        found = f"{len(answer.documents)} document(s), {size} bytes" if answer.documents else ""
        return Row(what, "ok", found or (f"pat_id {pat_id}" if pat_id else ""), exchange)
    outcome = "warning" if answer.assumed or answer.kind in {"no_data", "not_supported"} else "failed"
    return Row(what, outcome, f"{answer.kind}: {answer.message}" if answer.message else answer.kind, exchange)
