"""The catalogue of what the reference EHR can be told to do wrong, read from faults*.toml beside this module."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onc_conformance.reference.fhir.faults import HANDLERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from onc_conformance.reference.people import Window


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing done wrong on purpose, and the steps that must notice."""

    id: str
    title: str
    criterion: str
    """A value for `--criterion`."""
    breaks: str
    """What the procedures require and this fault denies."""
    options: tuple[str, ...]
    """Further options of `run` that are needed to see it."""
    steps: tuple[str, ...]
    """Ids of the steps that fail, exactly."""
    change: tuple[Mapping[str, Any], ...] = ()
    """What is done to charts, for a fault that is data (see `changes`)."""


def _read() -> tuple[Fault, ...]:
    """All files; `options` at the top of one are those of every fault in it that has none of its own."""
    files = sorted(Path(__file__).parent.glob("faults*.toml"))
    read = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    return tuple(
        Fault(
            id=entry["id"],
            title=entry["title"],
            criterion=entry["criterion"],
            breaks=entry["breaks"],
            options=tuple(entry.get("options") or content["options"]),
            steps=tuple(entry["steps"]),
            change=tuple(entry.get("change", ())),
        )
        for content in read
        for entry in content["fault"]
    )


CATALOGUE: tuple[Fault, ...] = _read()


def known(ids: Iterable[str]) -> frozenset[str]:
    """The same ids; ValueError names one that is in no catalogue, and those that are."""
    asked = frozenset(ids)
    all_known = {fault.id for fault in CATALOGUE} | HANDLERS.keys()
    unknown = sorted(asked - all_known)
    if unknown:
        raise ValueError(f"{unknown[0]}: no such fault; known are {', '.join(sorted(all_known))}")
    return asked


def bent(window: Window | None, kind: str, faults: frozenset[str]) -> Window | None:
    """The window the EHR acts on when it should act on `window`; `kind` is "category" or "document"."""
    if window is None or f"{kind}-window-ignored" in faults:
        return None
    first, last = window
    if "window-open-ignored" in faults and None in window:
        return None
    if "window-day-month-swapped" in faults:
        first, last = _swapped(first), _swapped(last)
    if f"{kind}-day-early" in faults:
        first, last = _moved(first, -1), _moved(last, -1)
    if f"{kind}-start-exclusive" in faults:
        first = _moved(first, 1)
    if f"{kind}-end-exclusive" in faults:
        last = _moved(last, -1)
    return first, last


def refused(window: Window | None, kind: str, faults: frozenset[str]) -> bool:
    """Whether a request with these dates is turned away that should not be."""
    if window is None:
        return False
    if f"{kind}-window-error" in faults:
        return True
    one_day = window[0] == window[1]
    return ("window-day-refused" if one_day else "window-range-refused") in faults


def _swapped(day: date | None) -> date | None:
    """Month and day mistaken for each other where that makes a date."""
    if day is None or day.day > 12:
        return day
    return date(day.year, day.day, day.month)


def _moved(day: date | None, by: int) -> date | None:
    if day is None or day in {date.min, date.max}:
        return day
    return day + timedelta(days=by)
