"""The reference EHR's charts: patients files read as people with dated facts, narrowed to windows of days."""

from __future__ import annotations

import re
import tomllib
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from onc_conformance import suite

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = (
    "medication_allergies",
    "medications",
    "problems",
    "procedures",
    "laboratory_results",
    "smoking_status",
    "social_history",
    "vital_signs",
    "immunizations",
    "udi",
    "encounters",
    "assessment_plan",
    "goals",
    "health_concerns",
    "care_team",
    "notes",
    "functional_status",
    "mental_status",
    "coverage",
    "referrals",
    "discharge_instructions",
    "participants",
)
_PERSON = {
    "id", "title", "setting", "vars", "name", "birth_date", "sex", "birth_sex", "race", "ethnicity", "language",
    "marital_status", "address", "telecom", "death_date",
}  # fmt: skip
_SEXES = ("female", "male", "undifferentiated", "unknown")
_DATED = ("date", "start", "end")
_CODED = (
    "code", "type", "reaction", "severity", "route", "panel", "procedure", "diagnosis", "role", "relationship",
    "indication", "specimen", "target_site", "problem", "disposition",
)  # fmt: skip
_MOMENT = re.compile(
    r"(?P<day>\d{4}(?:-\d{2}(?:-\d{2})?)?)(?P<time>T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,4})?)?(?:Z|[+-]\d{2}:\d{2})?)?"
)
# XML 1.0 cannot carry these at all, so a chart that held one could not be written down
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Code:
    """A code in a system known by its short name (`snomed`, `loinc`, …), with what a person reads."""

    system: str
    code: str
    display: str

    def __str__(self) -> str:
        return self.display or self.code


@dataclass(frozen=True)
class Fact:
    """One row of a chart: its class, its place in that class, and the keys of the file as written."""

    kind: str
    number: int
    values: Table

    @property
    def anchor(self) -> str:
        """A name that is unique in the chart and stays the same however the chart is narrowed."""
        return f"{self.kind}-{self.number}"

    @property
    def no_information(self) -> bool:
        return bool(self.values.get("no_information"))

    @property
    def encounter(self) -> str | None:
        """The id of the encounter it belongs to; an encounter belongs to itself."""
        return self.text("id" if self.kind == "encounters" else "encounter") or None

    @cached_property
    def dates(self) -> tuple[str, ...]:
        """Every date the fact states, as written, earliest key first."""
        return tuple(self.values[key] for key in ("date", "start", "end") if self.values.get(key))

    @property
    def recorded(self) -> str:
        """When it was written down, as written; nothing where the chart does not say."""
        return str((self.values.get("provenance") or {}).get("time") or "")

    def written(self, first: date | None, last: date | None) -> bool:
        """Whether it was written down on a day of the window."""
        begin, end = days_of(self.recorded)
        return (last is None or begin <= last) and (first is None or first <= end)

    def text(self, key: str) -> str:
        return str(self.values.get(key, ""))

    def code(self, key: str = "code") -> Code | None:
        """The code under `key`, or None where the file gives none."""
        found = self.values.get(key)
        if not isinstance(found, Mapping):
            return None
        return Code(str(found.get("system", "")), str(found["code"]), str(found.get("display", "")))

    def stated(self, first: date | None, last: date | None) -> bool:
        """Whether one day at least of one of its own dates is in the window; None is an open bound."""
        return any(
            (last is None or begin <= last) and (first is None or first <= end)
            for begin, end in (days_of(text) for text in self.dates)
        )


@dataclass(frozen=True)
class Chart:
    """One patient: who it is, and the facts of every class in the order of the file."""

    id: str
    person: Table
    facts: tuple[Fact, ...]
    title: str = ""
    setting: str = "ambulatory"
    vars: Mapping[str, str] = field(default_factory=dict)

    @property
    def family(self) -> str:
        return str(self.person["name"]["family"])

    @property
    def given(self) -> tuple[str, ...]:
        return tuple(self.person["name"]["given"])

    @property
    def birth_date(self) -> str:
        return str(self.person["birth_date"])

    def of(self, kind: str) -> tuple[Fact, ...]:
        """The facts of one class."""
        return tuple(fact for fact in self.facts if fact.kind == kind)

    def days(self) -> list[date]:
        """Every day on which a fact has a stated date, ascending; a date without a day names none."""
        return list(self._days)

    @cached_property
    def _days(self) -> tuple[date, ...]:
        return tuple(sorted({days_of(text)[0] for fact in self.facts for text in fact.dates if len(text) >= 10}))

    def within(self, first: date | None, last: date | None) -> Chart:
        """The same person with only the facts that state a date inside; nothing is asked of it when both are open.

        What states no date goes by when it was written down, or by its encounter.
        """
        if first is None and last is None:
            return self
        visits = {fact.encounter for fact in self.of("encounters") if fact.stated(first, last)} - {None}
        return self.only(
            fact
            for fact in self.facts
            if fact.stated(first, last)
            or (not fact.dates and (fact.written(first, last) if fact.recorded else fact.encounter in visits))
        )

    def as_of(self, day: date) -> Chart:
        """The chart as it stood in the evening of `day`: facts that had begun, and those that state no date."""
        return self.only(fact for fact in self.facts if not fact.dates or days_of(fact.dates[0])[0] <= day)

    def only(self, facts: Iterable[Fact]) -> Chart:
        """The same person with other facts."""
        return replace(self, facts=tuple(facts))


@lru_cache(maxsize=4096)
def days_of(text: str) -> tuple[date, date]:
    """First and last day of an ISO date of any precision; the day is the one written, whatever the time zone."""
    parts = [int(part) for part in text[:10].split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else None
    if month is None:
        return date(year, 1, 1), date(year, 12, 31)
    if len(parts) == 2:
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    return date(year, month, parts[2]), date(year, month, parts[2])


def bundled() -> list[Path]:
    """The patients files the reference EHR shows when it is given none."""
    room = suite.schemas() / "patients"
    return [room / "reference.toml", room / "reference-long.toml"]


def load(paths: Iterable[Path]) -> list[Chart]:
    """Every patient of every file, in order. ValueError, one line naming file and key, on the first thing wrong."""
    charts: list[Chart] = []
    for path in paths:
        for number, table in enumerate(_tables(path), start=1):
            name = table.get("id")
            where = f"{path}: patient {f'{name!r}' if name else number}"
            chart = _chart(table, where)
            if any(chart.id == other.id for other in charts):
                raise ValueError(f"{where}: id: {chart.id!r} is used twice; ids are unique over all files loaded")
            charts.append(chart)
    return charts


def _tables(path: Path) -> Sequence[Table]:
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: is no readable TOML or YAML: {' '.join(str(error).split())}") from error
    tables = content.get("patient") if isinstance(content, dict) else None
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise ValueError(f"{path}: patient: expected a list of tables, [[patient]], one for each patient")
    return [_plain(table, str(path)) for table in tables]


def _plain(value: Any, where: str) -> Any:
    """The same content with native dates as ISO text, so that a date quoted or not reads alike."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}: {key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, where) for item in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, str) and _UNWRITABLE.search(value):
        raise ValueError(f"{where}: holds a control character, which no C-CDA can carry; remove it")
    return value


def _chart(table: Table, where: str) -> Chart:
    for key in ("id", "name", "birth_date", "sex"):
        if not table.get(key):
            raise ValueError(f"{where}: {key}: is missing; every patient has id, name, birth_date and sex")
    for key in table:
        if key not in _PERSON and key not in CLASSES:
            raise ValueError(f"{where}: {key}: no such key; fact classes are {', '.join(CLASSES)}")
    _person(table, where)
    facts = [fact for kind in CLASSES if kind in table for fact in _facts(kind, table[kind], where)]
    encounters = {fact.encounter for fact in facts if fact.kind == "encounters"}
    for fact in facts:
        if fact.encounter and fact.encounter not in encounters:
            raise ValueError(f"{where}: {fact.anchor}: encounter: no encounter has the id {fact.encounter!r}")
    return Chart(
        id=str(table["id"]),
        person={key: table[key] for key in _PERSON & set(table)},
        facts=tuple(facts),
        title=str(table.get("title", "")),
        setting=str(table.get("setting", "ambulatory")),
        vars=table.get("vars", {}),
    )


def _person(table: Table, where: str) -> None:
    name = table["name"]
    if not isinstance(name, Mapping) or not name.get("family") or not isinstance(name.get("given"), list):
        raise ValueError(f'{where}: name: expected {{ family = "…", given = ["…"] }}')
    if not name["given"]:
        raise ValueError(f"{where}: name: given: expected one name at least")
    if not _is_date(table["birth_date"]):
        raise ValueError(f"{where}: birth_date: {table['birth_date']!r} is no ISO date")
    if table["sex"] not in _SEXES:
        raise ValueError(f"{where}: sex: expected one of {', '.join(_SEXES)}; found {table['sex']!r}")
    for key in ("race", "address", "telecom"):
        if not isinstance(table.get(key, []), list):
            raise ValueError(f"{where}: {key}: expected a list of tables")  # noqa: TRY004 - the file is wrong, not the caller


def _facts(kind: str, rows: object, where: str) -> list[Fact]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{where}: {kind}: expected a list of tables, [[patient.{kind}]]")
    facts = [Fact(kind, number, row) for number, row in enumerate(rows, start=1)]
    for fact in facts:
        for key in _DATED:
            if key in fact.values and not _is_date(fact.values[key]):
                raise ValueError(f"{where}: {fact.anchor}: {key}: {fact.values[key]!r} is no ISO date")
        for key in _CODED:
            found = fact.values.get(key)
            if found is not None and not (isinstance(found, Mapping) and found.get("code")):
                raise ValueError(f'{where}: {fact.anchor}: {key}: expected {{ system = "…", code = "…" }}')
    return facts


def _is_date(value: object) -> bool:
    match = _MOMENT.fullmatch(str(value))
    if not match or (match["time"] and len(match["day"]) != 10):
        return False
    try:
        days_of(str(value))
        if match["time"]:
            datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True
