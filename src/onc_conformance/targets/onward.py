"""Where an answer leads: to its next page, or to where what was asked for will be found once it is ready."""

# ruff: noqa: RUF012 - pydantic copies the defaults of its fields

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from onc_conformance.exchange import joined
from onc_conformance.targets.reading import Reading
from onc_conformance.targets.terms import Statuses, Table, checked_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onc_conformance.exchange import Exchange
    from onc_conformance.targets.steps import Step

ONWARD = "onward.url"
"""The name of the address an answer leads to; no description can use it."""
_LIST = re.compile(r"\$(\.[A-Za-z_][\w-]*)*")


class Paginate(Table):
    """How a long answer goes on: every page is fetched, and captures and documents are taken from all of them."""

    next: Literal["bundle_link", "offset", "page"]
    """bundle_link: a FHIR Bundle's link "next". offset, page: the same request with a number more."""
    items: str | None = None
    """offset, page: the list in the answer, as $.rows."""
    param: str | None = None
    """offset, page: the parameter's name."""
    as_: Annotated[Literal["query", "form", "body"], Field(alias="as")] = "query"
    """Where the parameter goes."""
    first: Annotated[int, Field(ge=0)] = 1
    """page: the number of the first page."""
    size: Annotated[int, Field(ge=1)] | None = None
    """offset, page: a page with fewer items is the last; without it, an empty one is."""
    total: str | None = None
    """offset, page: JSONPath of the number of items in all."""
    max_pages: Annotated[int, Field(ge=1)] = 50
    """An answer with more pages is given up."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        counted = ("items", "param")
        if self.next == "bundle_link":
            if strange := (self.model_fields_set - {"next", "max_pages"}):
                raise ValueError(f'next = "bundle_link" takes no {min(strange).removesuffix("_")}')
        elif missing := [name for name in counted if not getattr(self, name)]:
            raise ValueError(f'next = "{self.next}" needs {" and ".join(missing)}')
        if self.items and not _LIST.fullmatch(self.items):
            raise ValueError(f"items = {self.items!r} is no list's place; expected names alone, as $.data.rows")
        checked_path("json", self.total)
        return self

    def onward(self, pages: Sequence[Reading]) -> tuple[str | None, list[tuple[str, str]]] | None:
        """The address of the page after these, or the parameter that asks for it; None after the last."""
        last = pages[-1]
        if self.next == "bundle_link":
            onward = joined(last.exchange.url, url) if (url := _next_link(last.json)) else None
            return (onward, []) if onward else None
        sizes = [len(_list(page.json, self.items or "$") or []) for page in pages]
        total = last.json_values(self.total)[:1] if self.total else []
        if (
            sizes[-1] < (self.size or 1)
            or (total and total[0].isdigit() and sum(sizes) >= int(total[0]))
            or (len(pages) > 1 and last.exchange.sha256 == pages[-2].exchange.sha256)  # it does not know the parameter
        ):
            return None
        number = sum(sizes) if self.next == "offset" else self.first + len(pages)
        return None, [(self.param or "", str(number))]

    def united(self, pages: Sequence[Reading]) -> Reading:
        """All pages as one answer."""
        if len(pages) == 1:
            return pages[0]
        place = "$.entry" if self.next == "bundle_link" else self.items or "$"
        rows = [row for page in pages for row in _list(page.json, place) or []]
        return Reading(pages[-1].exchange, _replaced(pages[0].json, place, rows))


class Poll(Table):
    """An answer that is prepared while the client waits: status 202 and the address to ask again at."""

    status: Statuses = [202]
    header: str = "Content-Location"
    """The header with the address."""
    every_s: Annotated[float, Field(gt=0)] = 1.0
    """Seconds between two attempts where the server names no Retry-After."""
    max_s: Annotated[float, Field(gt=0)] = 120.0
    """Seconds after which the wait is given up."""

    def onward(self, exchange: Exchange) -> str | None:
        """Where to ask again; None if the answer is there."""
        address = exchange.header(self.header)
        return joined(exchange.url, address) if exchange.status in self.status and address else None

    def pause(self, exchange: Exchange) -> float:
        """Seconds to wait before asking again."""
        asked = (exchange.header("retry-after") or "").strip()
        if asked.isdigit():
            return float(asked)
        try:
            return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
        except ValueError:
            return self.every_s


def following(step: Step) -> Step:
    """The request for the address a step's answer leads to."""
    bare: dict[str, Any] = {"query": {}, "form": None, "json_": None, "xml": None, "raw": None, "let": {}}
    return step.model_copy(update=bare | {"method": "GET", "url": f"{{{ONWARD}}}"})


def _next_link(value: Any) -> str | None:
    links = value.get("link") if isinstance(value, dict) and value.get("resourceType") == "Bundle" else None
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return None


def _list(value: Any, place: str) -> list[Any] | None:
    for name in place.split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, list) else None


def _replaced(value: Any, place: str, rows: list[Any]) -> Any:
    names = place.split(".")[1:]
    if not names:
        return rows
    inner = value.get(names[0]) if isinstance(value, dict) else None
    rest = _replaced(inner, ".".join(["$", *names[1:]]), rows)
    return {**(value if isinstance(value, dict) else {}), names[0]: rest}
