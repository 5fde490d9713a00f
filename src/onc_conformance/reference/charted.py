"""Persons whose charts are facts from a patients file: their documents are written when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from onc_conformance.reference import ccd, charts
from onc_conformance.reference.cda.markup import unique
from onc_conformance.reference.people import NOTES, Demographics, Encounter, StoredDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from onc_conformance.reference.charts import Chart, Fact
    from onc_conformance.reference.people import Person, Window

_STAND_IN = "no encounter"
_LENT = 9000
"""Where the numbers of facts begin that were put into a chart of somebody else."""


@dataclass(frozen=True)
class ChartedPerson:
    """A chart, and the faults of content its documents have."""

    chart: Chart
    faults: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return self.chart.id

    @property
    def demographics(self) -> Demographics:
        person, name = self.chart.person, self.chart.person["name"]
        address: Mapping[str, Any] = next(iter(person.get("address", ())), {})
        race: Mapping[str, Any] = next(iter(person.get("race", ())), {})
        telecom: dict[str, str] = {}
        for one in person.get("telecom", ()):
            use = "email" if one.get("system") == "email" else str(one.get("use", "home"))
            telecom.setdefault(use, str(one.get("value", "")))
        return Demographics(
            family=self.chart.family,
            given=self.chart.given,
            birth_date=self.chart.birth_date,
            sex=str(person["sex"]),
            prefix=str(name.get("prefix", "")),
            suffix=str(name.get("suffix", "")),
            race=str(race.get("display", "")),
            marital_status=str(person.get("marital_status", {}).get("code", "")),
            line=tuple(address.get("line", ())),
            city=str(address.get("city", "")),
            state=str(address.get("state", "")),
            postal_code=str(address.get("postal_code", "")),
            country=str(address.get("country", "")),
            telecom=telecom,
        )

    @property
    def encounters(self) -> tuple[Encounter, ...]:
        """At least one: what is asked for by encounter can be had of every chart."""
        visits = tuple(
            Encounter(
                key=fact.encounter,
                start=fact.text("start") or fact.text("date"),
                end=fact.text("end"),
                kind=str(fact.code() or ""),
                location=str(fact.code("location") or fact.text("location")),
            )
            for fact in self.chart.of("encounters")
            if fact.encounter
        )
        return visits or (Encounter(_STAND_IN, self.documents[-1].service_date.isoformat(), "", "", ""),)

    @property
    def documents(self) -> tuple[StoredDocument, ...]:
        """A summary for each charted day; for an empty chart one of the day of birth."""
        days = self.chart.days() or [charts.days_of(self.chart.birth_date)[0]]
        return tuple(StoredDocument(day.isoformat(), day, f"Summary as of {day.isoformat()}") for day in days)

    def stored(self, document: str, window: Window | None) -> bytes:
        """The summary as of its service date; narrowed, it is that of the window."""
        if window is not None:
            return self.summary(window)
        return self._written(self.chart.as_of(charts.days_of(document)[0]), document, None)

    def summary(self, window: Window | None) -> bytes:
        return self._written(self.chart, "summary", window)

    def _written(self, chart: Chart, name: str, window: Window | None) -> bytes:
        identity = unique(chart.id, name, *map(str, window or ()))
        return ccd.document(chart, document_id=identity, window=window, faults=self.faults)

    def fragment(self, category: str, window: Window | None, encounter: str | None) -> bytes:
        """What belongs to the encounter is what names it, and what names none."""
        chart = self.chart
        if encounter is not None:
            chart = chart.only(fact for fact in chart.facts if fact.encounter in {None, encounter})
        chart, (category, *_) = _by_kind(chart, [category])
        return ccd.fragment(chart, category, window=window, faults=self.faults)

    def excerpt(self, categories: Sequence[str], window: Window | None) -> bytes:
        """Categories this EHR keeps no facts of have no section."""
        chart, known = _by_kind(self.chart, categories)
        kept = [one for one in known if one in ccd.CATEGORIES]
        return ccd.category_document(chart, kept, window=window, faults=self.faults)

    def without(self, category: str) -> ChartedPerson:
        return self._with(fact for fact in self.chart.facts if fact.kind != category)

    def without_last(self, category: str) -> ChartedPerson:
        last = self.chart.of(category)[-1:]
        return self._with(fact for fact in self.chart.facts if fact not in last)

    def with_one_of(self, other: Person, category: str) -> ChartedPerson:
        theirs = other.chart.of(category) if isinstance(other, ChartedPerson) else ()
        own = {fact.code() for fact in self.chart.of(category)}
        foreign = [fact for fact in theirs if fact.code() not in own and not fact.no_information]
        return self._with((*self.chart.facts, *(_lent(fact) for fact in foreign[:1])))

    def with_all_of(self, other: Person) -> ChartedPerson:
        return self._with(other.chart.facts if isinstance(other, ChartedPerson) else ())

    def blank(self) -> ChartedPerson:
        return self._with(())

    def _with(self, facts: Iterable[Fact]) -> ChartedPerson:
        return replace(self, chart=self.chart.only(facts))


def _lent(fact: Fact) -> Fact:
    """The fact as it can stand in another chart, where its encounter means nothing."""
    values = {name: value for name, value in fact.values.items() if name != "encounter"}
    return replace(fact, number=_LENT + fact.number, values=values)


def _by_kind(chart: Chart, categories: Sequence[str]) -> tuple[Chart, list[str]]:
    """The chart with only those notes that are asked for by kind, and "notes" in place of the kinds."""
    kinds = {NOTES[one] for one in categories if one in NOTES}
    if not kinds:
        return chart, list(categories)
    chart = chart.only(
        fact for fact in chart.facts if fact.kind != "notes" or getattr(fact.code(), "code", None) in kinds
    )
    return chart, ["notes" if one in NOTES else one for one in categories]
