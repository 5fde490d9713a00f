"""Bundled descriptions listed and shown, and a description tried on its API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from lxml import etree

from onc_conformance.findings import NotTested
from onc_conformance.moments import Days
from onc_conformance.targets.loading import bundled, text_of, unbound
from onc_conformance.targets.paths import read_xml
from onc_conformance.targets.target import PAGES
from onc_conformance.targets.terms import CCDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from onc_conformance.targets.answers import Answer
    from onc_conformance.targets.client import Client
    from onc_conformance.targets.session import Session
    from onc_conformance.targets.target import Target

_ITEMS = (
    "syntax", "functions", "parameters", "returns", "exceptions", "components", "dates", "registration", "terms",
)  # fmt: skip


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


def check(
    client: Client,
    patient: Mapping[str, str] | None = None,
    vars: Mapping[str, str] | None = None,  # noqa: A002 - the word of the patients file
) -> Iterator[Row]:
    """Try a description: what is reachable, does the login work, what does each operation return, what is missing."""
    target = client.target
    yield from _declared(target)
    yield from _missing(target)
    yield from _reached(client)
    try:
        yield from _in_session(client, patient, vars or {})
    except NotTested as why:  # an app could not be launched, to begin with or once more
        yield Row("log in", "failed", client.journal.secrets.mask_text(str(why)))


def _in_session(client: Client, patient: Mapping[str, str] | None, vars: Mapping[str, str]) -> Iterator[Row]:  # noqa: A002
    """Log in, and try each operation."""
    target, before = client.target, len(client.journal.exchanges)
    session = client.session(patient or {}, vars)
    logged_in = session.login()
    if session.credential:
        asked = f"{session.credential}; an app was launched, {len(client.journal.exchanges) - before} requests"
        yield Row("log in", "ok", client.journal.secrets.mask_text(asked))
    else:
        yield _row("log in", logged_in, client)
    if not logged_in.ok:
        return
    if patient is None and target.description.ops.select_patient is not None:
        yield Row("select_patient", "skipped", "needs a patient: name a patients file with --patients")
        return
    selected = session.select()
    yield _row("select_patient", selected, client)
    if selected.ok:
        yield from _asked(client, session)


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


def _asked(client: Client, session: Session) -> Iterator[Row]:
    target = client.target
    if target.description.ops.category is not None:
        for name in target.supported:
            yield _row(f"category {name}", session.category(name), client)
    if target.description.ops.all_data is not None:
        yield _row("all_data", session.all_data(), client)
        if target.description.dates.style != "none":
            window = Days(date(1900, 1, 1), date(2100, 12, 31))
            yield _row(f"all_data, {window}", session.all_data(window), client)


def _missing(target: Target) -> Iterator[Row]:
    """What a run would like to know, and the description does not say."""
    description = target.description
    documentation, product = description.documentation, description.product
    pages = [name for name in ("api", "terms") if getattr(documentation, name) is None]
    if pages:
        yield Row("documentation", "warning", f"missing: {' and '.join(pages)}, so its steps cannot be tested")
    items = [name for name in _ITEMS if target.documentation_item(name) is None]
    if items:
        yield Row("documentation.items", "warning", f"missing: {', '.join(items)}")
    unsaid = [name for name in ("name", "version", "developer", "setting") if not getattr(product, name)]
    if unsaid:
        yield Row("product", "warning", f"missing on the report: {', '.join(unsaid)}")
    if not any(error.class_ == "auth" for error in description.error):
        yield Row("error", "warning", "nothing says how a refused login is told; an [[error]] of class auth is missing")
    if not description.negative:
        yield Row("negative", "warning", "no misuse is listed; the suite tries its own")
    if description.dates.style != "none" and not description.dates.policy:
        yield Row("dates.policy", "warning", "missing: which date decides what is in a window")


def _reached(client: Client) -> Iterator[Row]:
    """Every address of the description, visited without credentials: any answer at all will do."""
    target = client.target
    for name, url in target.bases.items():
        page = client.fetch(url, f"reach base.{name}")[-1]
        said = f"{url} answers: HTTP {page.status}"
        outcome, detail = ("warning", page.error or "no answer") if page.status is None else ("ok", said)
        yield Row(f"base.{name}", outcome, client.journal.secrets.mask_text(detail), page.id)
    for name in PAGES:
        if (address := target.documentation(name)) is not None:
            page = client.fetch(address, f"open documentation.{name}")[-1]
            detail = page.error or f"{address}: HTTP {page.status} {page.media_type}".rstrip()
            outcome = "ok" if page.status == 200 else "warning"
            yield Row(f"documentation.{name}", outcome, client.journal.secrets.mask_text(detail), page.id)


def _row(what: str, answer: Answer, client: Client) -> Row:
    exchange = answer.exchanges[-1] if answer.exchanges else ""
    made = client.journal.exchanges.get(exchange)
    told = f"HTTP {made.status} {made.media_type}".rstrip() if made else "no request made"
    if answer.ok:
        found = []
        if answer.documents:
            size = sum(len(document.data) for document in answer.documents)
            roots = dict.fromkeys(_root(document.data) for document in answer.documents)
            found = [f"{len(answer.documents)} document(s), {size} bytes", " and ".join(roots)]
        elif pat_id := answer.captures.get("pat_id"):
            found = [f"pat_id {pat_id}"]
        detail = "; ".join([*found, told])
        return Row(what, "ok", client.journal.secrets.mask_text(detail), exchange)
    outcome = "warning" if answer.assumed or answer.kind in {"no_data", "not_supported"} else "failed"
    return Row(what, outcome, f"{answer.kind}: {answer.message}" if answer.message else answer.kind, exchange)


def _root(data: bytes) -> str:
    """What a document is, by the name of its root."""
    root = read_xml(data)
    return "not XML" if root is None else f"<{etree.QName(root).localname}>"
