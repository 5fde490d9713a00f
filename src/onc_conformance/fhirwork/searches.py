"""Which searches US Core requires, with values out of the patient's own data, and what is to be said of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from onc_conformance.fhirwork import bundles, demands, parameters
from onc_conformance.fhirwork.asking import Entry, Found
from onc_conformance.fhirwork.chart import Chart, Kept, whose
from onc_conformance.findings import Finding, Layer, Severity

NO_CODE = "no-such-code"
"""A code that nothing has."""
NO_SYSTEM = "urn:oid:2.999"
"""The system of no code: an OID for examples."""
NO_DAY = "1850-01-01"
"""A day on which nothing was recorded."""
NO_NAME = "Qxzzyv"
"""A name that nobody has."""
INCLUDE = "_include"
_COUNT = "_count"
MOST = 4
"""Searches of one combination with different values: a fifth shows nothing new."""


@dataclass(frozen=True)
class Search:
    """One search of one patient's data."""

    chart: Chart
    kind: str
    asked: tuple[tuple[str, str], ...]
    form: bool = False
    foil: bool = False
    """Whether it is made to find nothing, so that a parameter that is ignored shows; it may be refused."""

    def found(self) -> Found:
        """The answer."""
        return self.chart.search(self.kind, self.asked, form=self.form)

    def posted(self) -> Search:
        """The same by POST."""
        return Search(self.chart, self.kind, self.asked, form=True)

    def how(self, name: str) -> str:
        """The type of a parameter."""
        told = self.chart.tables.searches[self.kind]["parameters"].get(name, {})
        return str(told.get("type", "token"))

    def matches(self, resource: parameters.Resource) -> bool | None:
        """Whether a resource is what was searched for; None where that cannot be told."""
        answers = [
            self._matches(resource, name, value) for name, value in self.asked if not name.startswith(("_inc", "_rev"))
        ]
        if False in answers:
            return False
        return None if None in answers else True

    def _matches(self, resource: parameters.Resource, name: str, value: str) -> bool | None:
        if name == "patient":
            return whose(resource) == value.removeprefix("Patient/")
        if name == "_id":
            return resource.get("id") == value
        if not parameters.supports(self.kind, name):
            return None
        fits = parameters.matches(resource, name, self.how(name), value)
        return False if fits is None and value == NO_NAME else fits


def required(chart: Chart, kind: str) -> list[Search]:
    """Every search of a type that US Core requires and the patient has data for."""
    found: list[Search] = []
    for names in demands.combinations(chart.tables, kind):
        found += _valued(chart, kind, names)
    return list(dict.fromkeys(found))


def foiled(chart: Chart, kind: str) -> list[Search]:
    """The required searches once more with a value that nothing has: another code, system, day or name."""
    found: list[Search] = []
    for search in required(chart, kind):
        for place, (name, value) in enumerate(search.asked):
            if name in {"patient", "_id"}:
                continue
            for foil in _foils(search.how(name), value):
                asked = (*search.asked[:place], (name, foil), *search.asked[place + 1 :])
                found.append(Search(chart, kind, asked, foil=True))
    return list(dict.fromkeys(found))


def _foils(how: str, value: str) -> list[str]:
    if how == "token":
        return [NO_CODE, *([f"{NO_SYSTEM}|{parameters.unsystematic(value)}"] if "|" in value else [])]
    return {"date": [NO_DAY], "string": [NO_NAME]}.get(how, [])


def respelt(chart: Chart, kind: str) -> list[Search]:
    """The required searches by a text once more with its beginning, and alone in other letters: large for small.

    Either finds the same and perhaps more.
    """
    textual = [each for each in required(chart, kind) if any(each.how(name) == "string" for name, _ in each.asked)]
    alone = [each for each in textual if len(each.asked) == 1]
    return [_respelt(each, lambda text: text[:3]) for each in textual] + [
        _respelt(each, str.swapcase) for each in alone
    ]


def _respelt(search: Search, change: Callable[[str], str]) -> Search:
    asked = tuple((name, change(value) if search.how(name) == "string" else value) for name, value in search.asked)
    return Search(search.chart, search.kind, asked)


def further(chart: Chart, kind: str) -> list[Search]:
    """The required searches by one code once more by the last code of a resource that has several: one of each."""
    found: list[Search] = []
    for names in demands.combinations(chart.tables, kind):
        others = [name for name in names if name != "patient"]
        if len(others) != 1:
            continue
        for kept in chart.of(kind):
            first, last = (value_of(chart, kept, others[0], last=last) for last in (False, True))
            if first and last and first != last:
                own = [("patient", chart.id)] if "patient" in names else []
                found.append(Search(chart, kind, (*own, (others[0], last))))
                break
    return found


def _valued(chart: Chart, kind: str, names: Sequence[str]) -> Iterator[Search]:
    others = [name for name in names if name != "patient"]
    if not others:
        yield Search(chart, kind, chart.asked(kind, {}))
        return
    seen: set[tuple[str, ...]] = set()
    for kept in chart.of(kind):
        values = [value_of(chart, kept, name) for name in others]
        if None in values or tuple(map(str, values)) in seen or len(seen) == MOST:
            continue
        seen.add(tuple(map(str, values)))
        beside = [(name, str(value)) for name, value in zip(others, values, strict=True)]
        own = [("patient", chart.id)] if "patient" in names else []
        yield Search(chart, kind, (*own, *beside))


def value_of(chart: Chart, kept: Kept, name: str, *, last: bool = False) -> str | None:
    """What finds a resource by a parameter, the first of its codes or the last; None where it has nothing there."""
    kind = kept.key[0]
    if name == "_id":
        return kept.key[1]
    how = str(chart.tables.searches[kind]["parameters"].get(name, {}).get("type", "token"))
    value = parameters.sample(kept.resource, name, how, last=last)
    return f"ge{value[:10]}" if value and how == "date" and kind != "Patient" else value


def several(chart: Chart, kind: str) -> list[Search]:
    """The searches of a type for two values at once, where US Core requires them, in either order."""
    told = chart.tables.searches[kind]
    found: list[Search] = []
    for strength, names in told["combinations"]:
        many = [name for name in names if told["parameters"].get(name, {}).get("multipleOr", ("", ""))[1] == "SHALL"]
        for name in many if strength == "SHALL" else ():
            beside = {each: v for each in names if each not in {"patient", name} if (v := _first(chart, kind, each))}
            if len(beside) < len(names) - 2:
                continue
            values = list(dict.fromkeys(filter(None, (value_of(chart, each, name) for each in chart.of(kind)))))
            values = [parameters.unsystematic(value) for value in values]
            if len(values) == 1 and (other := parameters.other(kind, name)):
                values.append(other)
            for one, two in [*pairwise(values[:2]), *pairwise(values[:2][::-1])]:
                found.append(Search(chart, kind, (*chart.asked(kind, beside), (name, f"{one},{two}"))))
    return found


def _first(chart: Chart, kind: str, name: str) -> str | None:
    return next(filter(None, (value_of(chart, each, name) for each in chart.of(kind))), None)


def unsystematic(search: Search) -> Search | None:
    """The search with tokens that name no system; None where it has none that does."""
    asked = tuple(
        (name, parameters.unsystematic(value) if search.how(name) == "token" else value) for name, value in search.asked
    )
    return Search(search.chart, search.kind, asked) if asked != search.asked else None


def referring(search: Search) -> Search | None:
    """The search with the patient named by type and id; None where it names none."""
    asked = tuple((name, f"Patient/{value}" if name == "patient" else value) for name, value in search.asked)
    return Search(search.chart, search.kind, asked) if asked != search.asked else None


def answered(search: Search, rule: str) -> Iterator[Finding]:
    """Objections to a search that was not answered with Bundles of search results, to the last page.

    A warning where the size of pages is refused with a reason: US Core asks no server to heed it.
    """
    if search.foil:
        return
    found = search.found()
    if _COUNT in dict(found.parameters) and found.first.refused:
        yield found.first.objection(
            rule, "the size of pages is refused", severity=Severity.WARNING, expected="a Bundle", found=found.first.said
        )
        return
    for page in found.pages:
        if not page.ok or page.kind != "Bundle":
            yield page.objection(rule, "was not answered", expected="a Bundle of search results", found=page.said)
            return
        yield from page.travelled(rule)
        yield from page.flawed(rule)
        yield from bundles.formed(page, search.chart.tables, rule)
    if found.broken:
        yield found.first.objection(rule, found.broken, expected="pages that come to an end", found=found.broken)
    if found.ok:
        yield from bundles.linked(found, rule)
        yield from bundles.addressed(found, search.chart.server.base, rule)
        yield from bundles.counted(found, rule)


def right(search: Search, rule: str) -> Iterator[Finding]:
    """Objections to rows that were not searched for, are another patient's, or come twice."""
    found = search.found()
    seen: set[tuple[str, str]] = set()
    for entry in found.entries:
        if entry.mode in {"include", "outcome"}:
            continue
        if entry.key[0] != search.kind:
            if entry.key[0] != "OperationOutcome":
                yield _row(entry, rule, "holds what was not searched for", search.kind, entry.key[0])
            continue
        if entry.key in seen:
            yield _row(entry, rule, "holds the same resource twice", "each resource once", "/".join(entry.key))
        seen.add(entry.key)
        owner = whose(entry.resource)
        if owner is not None and owner != search.chart.id and not any(name == "name" for name, _ in search.asked):
            yield _row(
                entry, rule, "holds another patient's data", f"data of {search.chart.id}", f"data of {owner}",
                layer=Layer.SECURITY,
            )  # fmt: skip
        elif search.matches(entry.resource) is False:
            wanted = ", ".join(f"{name} {value}" for name, value in search.asked)
            yield _row(entry, rule, f"{'/'.join(entry.key)} is not what was searched for", wanted, "another")


def whole(search: Search, rule: str) -> Iterator[Finding]:
    """Objections to resources of the patient that match, are known from other answers, and did not come."""
    found = search.found()
    if not found.ok:
        return
    came = {entry.key for entry in found.matches}
    for kept in search.chart.of(search.kind):
        if kept.key not in came and search.matches(kept.resource):
            yield found.first.objection(
                rule,
                f"{kept.name} matches and did not come",
                path=kept.name,
                expected=f"{kept.name}, which {kept.got.request} brought",
                found=f"{len(came)} others",
            )


def same(one: Search, other: Search, rule: str) -> Iterator[Finding]:
    """Objections to two ways of asking the same that were answered differently."""
    first, second = one.found(), other.found()
    if not (first.ok and second.ok):
        return
    told, again = ({entry.key for entry in each.matches} for each in (first, second))
    if told != again:
        odd = sorted("/".join(each) for each in told ^ again)
        yield second.first.objection(
            rule,
            f"is answered differently from {first.first.request}",
            expected=f"the same {len(told)} resources",
            found=f"{len(again)}, different in {', '.join(odd[:5])}",
        )


def including(chart: Chart, include: str) -> list[Search]:
    """The first search of a type, with what a parameter of it refers to; none where nothing refers to anything.

    `include` is TYPE:PARAMETER.
    """
    kind, _, name = include.partition(":")
    if kind not in chart.kinds or not any(_led(kept.resource, name) for kept in chart.of(kind)):
        return []
    return [Search(chart, kind, (*each.asked, (INCLUDE, include))) for each in required(chart, kind)[:1]]


def included(search: Search, rule: str) -> Iterator[Finding]:
    """Objections to a search with _include whose matches refer to something that did not come along."""
    found = search.found()
    name = dict(search.asked)[INCLUDE].partition(":")[2]
    came = {"/".join(entry.key) for entry in found.entries}
    for entry in found.matches:
        for wanted in _led(entry.resource, name):
            if not any(wanted.partition("/_history/")[0].endswith(each) for each in came):
                path = parameters.paths(search.kind, name)[0]
                yield _row(entry, rule, f"{wanted} did not come along", wanted, "nothing", path=path)


def _led(resource: parameters.Resource, name: str) -> list[str]:
    """The references at a parameter's elements to anything outside the resource."""
    told = (each.get("reference") for each in parameters.elements(resource, name) if isinstance(each, dict))
    return [each for each in told if isinstance(each, str) and not each.startswith("#")]


def _row(
    entry: Entry, rule: str, message: str, expected: str, found: str, *, layer: Layer = Layer.API, path: str = ""
) -> Finding:
    place = f"{entry.place}.{path}" if path else entry.place
    return entry.page.objection(
        rule, message, severity=Severity.ERROR, layer=layer, path=place, expected=expected, found=found
    )
