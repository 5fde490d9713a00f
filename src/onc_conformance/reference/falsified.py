"""Charts with something wrong in them: what the faults of content do to facts and to the person."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from onc_conformance.reference import changes
from onc_conformance.reference.charts import Chart, days_of

if TYPE_CHECKING:
    from onc_conformance.reference.charts import Fact

_BACKACHE = {"system": "snomed", "code": "161891005", "display": "Backache (finding)"}
_SMOKER = {"system": "snomed", "code": "77176002", "display": "Smoker (finding)"}
_OTHER_RACE = [{"code": "1002-5", "display": "American Indian or Alaska Native"}]
_OTHER_SEX = {"female": "male", "male": "female"}


def _last(kind: str, change: Callable[[Fact], Fact | None]) -> Callable[[Chart], Chart]:
    """Change the last fact of a class, or leave it out."""
    return lambda chart: _each(chart, chart.of(kind)[-1:], change)


def _first(kind: str, change: Callable[[Fact], Fact | None]) -> Callable[[Chart], Chart]:
    return lambda chart: _each(chart, chart.of(kind)[:1], change)


def _all(kind: str, change: Callable[[Fact], Fact | None]) -> Callable[[Chart], Chart]:
    return lambda chart: _each(chart, chart.of(kind), change)


def _each(chart: Chart, which: Collection[Fact], change: Callable[[Fact], Fact | None]) -> Chart:
    anchors = {fact.anchor for fact in which}
    changed = (change(fact) if fact.anchor in anchors else fact for fact in chart.facts)
    return chart.only(fact for fact in changed if fact is not None)


def _with(**values: Any) -> Callable[[Fact], Fact]:
    return lambda fact: replace(fact, values={**fact.values, **values})


def _gone(_: Fact) -> None:
    return None


def _person(**values: Any) -> Callable[[Chart], Chart]:
    return lambda chart: replace(chart, person={**chart.person, **values})


def _dates(fact: Fact, change: Callable[[str], str]) -> Fact:
    return _with(**{key: change(fact.values[key]) for key in ("date", "start", "end") if fact.values.get(key)})(fact)


def _next_day(text: str) -> str:
    """A date without a day stays."""
    return (days_of(text)[0] + timedelta(days=1)).isoformat() + text[10:] if len(text) >= 10 else text


def _year_before(text: str) -> str:
    year, rest = int(text[:4]) - 1, text[4:]
    return f"{year}{'-02-28' + rest[6:] if rest.startswith('-02-29') else rest}"


def in_utc(text: str) -> str:
    """A moment with a zone as it is called in Greenwich; any other date as it is."""
    if len(text) <= 19 and not text.endswith("Z"):
        return text
    moment = datetime.fromisoformat(text)
    return text if moment.tzinfo is None else moment.astimezone(UTC).isoformat()


def _risen(fact: Fact) -> Fact:
    value = fact.values.get("value")
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return _with(value=value + 1 if numeric else f"not {value}")(fact)  # type: ignore[operator]


def _another_device(fact: Fact) -> Fact:
    udi = fact.text("udi")
    return _with(udi=udi[:-1] + ("2" if udi.endswith("1") else "1"))(fact) if udi else fact


def _partial(fact: Fact) -> Fact | None:
    return None if any(len(text) < 10 for text in fact.dates) else fact


def _without_equals(chart: Chart) -> Chart:
    seen: list[tuple[str, object]] = []
    kept: list[Fact] = []
    for fact in chart.facts:
        if (fact.kind, fact.values) not in seen:
            kept.append(fact)
        seen.append((fact.kind, fact.values))
    return chart.only(kept)


def _visits(chart: Chart) -> list[str]:
    """The chart's encounters, oldest first."""
    visits = sorted(chart.of("encounters"), key=lambda fact: fact.dates[:1])
    return [visit.encounter for visit in visits if visit.encounter]


def _without_oldest_visit(chart: Chart) -> Chart:
    return chart.only(fact for fact in chart.facts if fact.encounter not in _visits(chart)[:1])


def _newest_visit_only(chart: Chart) -> Chart:
    return chart.only(fact for fact in chart.facts if fact.encounter in {None, *_visits(chart)[-1:]})


def _other_sex(chart: Chart) -> Chart:
    return _person(sex=_OTHER_SEX.get(str(chart.person["sex"]), "female"))(chart)


def _born_a_day_later(chart: Chart) -> Chart:
    return _person(birth_date=_next_day(chart.birth_date))(chart)


_DOCUMENT: dict[str, Callable[[Chart], Chart]] = {
    "fact-dropped": _last("laboratory_results", _gone),
    "date-shifted": _all("laboratory_results", lambda fact: _dates(fact, _next_day)),
    "result-altered": _last("laboratory_results", _risen),
    "equal-result-dropped": _without_equals,
    "problem-code-altered": _first("problems", _with(code=_BACKACHE)),
    "problem-year-off": _first("problems", lambda fact: _dates(fact, _year_before)),
    "smoking-status-altered": _all("smoking_status", _with(code=_SMOKER)),
    "vital-signs-empty": _all("vital_signs", _gone),
    "udi-altered": _first("udi", _another_device),
    "partial-date-dropped": lambda chart: _each(chart, chart.facts, _partial),
    "date-in-utc": lambda chart: _each(chart, chart.facts, lambda fact: _dates(fact, in_utc)),
    "assessment-altered": _first("assessment_plan", _with(text="Nothing to remark")),
    "goal-altered": _first("goals", _with(text="Grow older")),
    "concern-dropped": _last("health_concerns", _gone),
    "newest-encounter-only": _newest_visit_only,
    "encounter-missing": _without_oldest_visit,
    "sex-wrong": _other_sex,
    "birth-date-off": _born_a_day_later,
    "race-wrong": _person(race=_OTHER_RACE),
    "ethnicity-missing": _person(ethnicity=None),
    "language-wrong": _person(language="fr"),
}
_CATEGORY: dict[str, Callable[[Chart], Chart]] = {
    "category-result-altered": _last("laboratory_results", _risen),
    "category-udi-altered": _first("udi", _another_device),
    "category-race-wrong": _person(race=_OTHER_RACE),
    "encounter-missing": _without_oldest_visit,
}
FAULTS = frozenset({*_DOCUMENT, *_CATEGORY}) | changes.known()


def for_document(chart: Chart, faults: Collection[str]) -> Chart:
    """What all data are written from."""
    return changes.applied(_falsified(chart, faults, _DOCUMENT), faults, "document")


def for_category(chart: Chart, faults: Collection[str]) -> Chart:
    """What single categories are written from."""
    return changes.applied(_falsified(chart, faults, _CATEGORY), faults, "category")


def _falsified(chart: Chart, faults: Collection[str], known: dict[str, Callable[[Chart], Chart]]) -> Chart:
    for fault in sorted(set(faults) & set(known)):
        chart = known[fault](chart)
    return chart
