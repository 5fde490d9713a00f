"""The facts that resources tell, in the form in which facts of any answer are compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from onc_conformance import moments
from onc_conformance.fhir import facts
from onc_conformance.fhir.bundle import Placed
from onc_conformance.findings import Severity
from onc_conformance.record.codes import Code
from onc_conformance.record.details import Said
from onc_conformance.record.facts import Name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onc_conformance.fhir.bundle import Bundle, Resource
    from onc_conformance.moments import Days

_MANNERS = {
    "code": "code", "quantity": "quantity", "every": "quantity", "range": "range", "flag": "flag", "reason": "reason",
}  # fmt: skip
"""How an element is compared, by how it is read; `like` in the table says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One fact, and the resource that tells it."""

    kind: str
    resource: Resource
    codes: tuple[Code, ...] = ()
    text: str = ""
    start: Days | None = None
    end: Days | None = None
    date: Days | None = None
    value: str | None = None
    unit: str | None = None
    udi: tuple[str, ...] = ()
    member: Name | None = None
    negated: bool = False
    again: bool = False
    """Whether its resource may tell what another tells already."""
    table: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The fact as a patients file has it."""

    @property
    def place(self) -> str:
        """Type and id of the resource."""
        return f"{self.resource.get('resourceType')}/{self.resource.get('id')}"

    @property
    def stated(self) -> tuple[Days, ...]:
        """Each date it states."""
        return tuple(days for days in (self.date, self.start, self.end) if days)

    @property
    def manners(self) -> Mapping[str, str]:
        """The elements that resources of its class may state, and how they are compared."""
        return _manners().get(self.kind, MappingProxyType({}))

    def detail(self, name: str) -> tuple[Said, ...]:
        """What the resource says of one element."""
        value = self.table.get(name)
        return () if value is None or name not in self.manners else (_said(self.manners[name], value),)

    def __str__(self) -> str:
        who = f"{' '.join(self.member.given)} {self.member.family}" if self.member else ""
        what = str(self.codes[0]) if self.codes else "".join(self.udi[:1]) or f"“{self.text[:60]}”"
        when = str(self.date or self.start or "")
        return " ".join(filter(None, (who or what, f"of {when}" if when else "")))


def told(bundle: Bundle) -> list[Told]:
    """Every fact of a bundle's resources, in their order."""
    ids = {str(each.get("id")): str(each.get("id")) for each in bundle.resources if each["resourceType"] == "Encounter"}
    found: list[Told] = []
    last: Resource = {}
    label: Resource = {}
    for kind, table, resource in facts.read(bundle, ids):
        if resource is not last:  # one label for all facts of a resource
            last, label = resource, resource.label if isinstance(resource, Placed) else resource
        found.append(_told(kind, table, label, again=_again(kind, resource)))
    return found


def _again(kind: str, resource: Resource) -> bool:
    known = set(facts.categories(resource))
    return any(known & set(row.get("again", ())) for row in facts.table() if row["kind"] == kind)


def _told(kind: str, table: facts.Table, resource: Resource, *, again: bool) -> Told:
    member, value = table.get("member"), table.get("value")
    coded = [*([table["code"]] if "code" in table else []), *table.get("also", ())]
    spoken = value
    if isinstance(value, dict):  # a coded value, by which its observation is known as by its code
        spoken = value.get("display") or value["code"]
        coded.append(value)
    return Told(
        kind=kind,
        resource=resource,
        codes=tuple(map(_code, coded)),
        text=str(table.get("text", "")),
        start=moments.iso(table.get("start", "")),
        end=moments.iso(table.get("end", "")),
        date=moments.iso(table.get("date", "")),
        value=None if spoken is None else str(spoken),
        unit=table.get("unit"),
        udi=(str(table["udi"]),) if table.get("udi") else (),
        member=Name(member["family"], tuple(member["given"])) if member else None,
        negated=table.get("status") == "not_done",
        again=again,
        table=table,
    )


def _code(table: Mapping[str, str]) -> Code:
    return _shared(table["system"], table["code"], table.get("display", ""))


@lru_cache(maxsize=65_536)
def _shared(system: str, code: str, display: str) -> Code:
    """One object for each code: many facts have few."""
    return Code(system, code, display)


def _said(manner: str, value: Any) -> Said:
    if manner == "code" or (manner == "reason" and isinstance(value, dict)):
        return Said(codes=(_code(value),), text=value.get("display", ""))
    if manner == "quantity":
        return Said(value=str(value["value"]), unit=value.get("unit"))
    if manner == "range":
        low, high = (str(value[end]) if end in value else None for end in ("low", "high"))
        return Said(low=low, high=high, text=value.get("text", ""))
    if manner == "moment":
        return Said(days=moments.iso(str(value)), text=str(value))
    return Said(text=str(value))


@cache
def _manners() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for where in facts.table():
        for name, detail in where.get("details", {}).items():
            manner = detail.get("like", _MANNERS.get(detail["as"]))
            if manner and name not in {"value", "udi", "member"}:
                found.setdefault(where["kind"], {})[name] = manner
    return MappingProxyType(found)


@cache
def absences() -> Mapping[tuple[str, str], Severity]:
    """By class and element, how grave it is that nothing is said of it where a record says something."""
    found: dict[tuple[str, str], Severity] = {}
    for where in facts.table():
        kind = where["kind"]
        for name, detail in where.get("details", {}).items():
            found[kind, name] = Severity(detail.get("absent", "warning"))
        if where.get("undated"):
            found |= dict.fromkeys(((kind, name) for name in ("date", "start", "end")), Severity.INFO)
    return MappingProxyType(found)
