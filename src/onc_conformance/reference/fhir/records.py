"""All resources of the server: those written from charts, or given ones, with whose they are."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from onc_conformance.reference.charted import ChartedPerson
from onc_conformance.reference.fhir import (
    care,
    conditions,
    documents,
    groups,
    lived,
    measured,
    medicines,
    patients,
    provenance,
    supplement,
)
from onc_conformance.reference.fhir.catalog import references
from onc_conformance.reference.fhir.directory import Directory
from onc_conformance.reference.fhir.parts import Pen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from onc_conformance.reference.charts import Chart, Fact
    from onc_conformance.reference.fhir.parts import Resource
    from onc_conformance.reference.people import People, Person

Owned = tuple["Resource", str | None]
"""A resource and the id of the patient it is about; None is about nobody."""


class Records:
    """Resources by type, id and patient."""

    def __init__(self, owned: Iterable[Owned]) -> None:
        self._all: dict[tuple[str, str], Owned] = {}
        self._of: dict[tuple[str, str | None], list[Resource]] = defaultdict(list)
        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        self._targeted: dict[str, list[Resource]] = defaultdict(list)
        for resource, patient in owned:
            kind = resource["resourceType"]
            self._all[kind, resource["id"]] = resource, patient
            self._of[kind, patient].append(resource)
            self._by_type[kind].append(resource)
            if kind == "Provenance":
                for reference in references(resource, ("target",)):
                    self._targeted[reference].append(resource)

    def kinds(self) -> list[str]:
        """The types there are, in alphabetical order."""
        return sorted(self._by_type)

    def get(self, kind: str, issued: str) -> Owned | None:
        """One resource, and whose it is."""
        return self._all.get((kind, issued))

    def of_type(self, kind: str) -> Sequence[Resource]:
        """All of a type."""
        return self._by_type.get(kind, ())

    def of_patients(self, kind: str, issued: Iterable[str]) -> list[Resource]:
        """All of a type that is about these patients."""
        return [resource for patient in dict.fromkeys(issued) for resource in self._of.get((kind, patient), ())]

    def about(self, reference: str) -> Sequence[Resource]:
        """Every Provenance with this target, Type/id."""
        return self._targeted.get(reference, ())

    def profiles(self, kind: str) -> list[str]:
        """The profiles resources of a type claim, in whatever version."""
        claimed = (each for one in self.of_type(kind) for each in one.get("meta", {}).get("profile", ()))
        return sorted({each.partition("|")[0] for each in claimed if isinstance(each, str)})


def of_people(people: People, base: str, version: str) -> Records:
    """The records of everybody with a chart of facts; of the others the Patient alone. `base` is this server's."""
    charts = [person.chart for person in people.all if isinstance(person, ChartedPerson)]
    directory = Directory(charts)
    owned: list[Owned] = [(resource, None) for resource in directory.resources()]
    owned.append((directory.endpoint(base), None))
    for person in people.all:
        issued = people.number_of(person)
        owned += [(resource, issued) for resource in _about(person, issued, directory, version)]
    issued_to = [people.number_of(person) for person in people.all]
    return Records([*owned, *((group, groups.OWNER) for group in groups.written(issued_to))])


def _about(person: Person, issued: str, directory: Directory, version: str) -> list[Resource]:
    if not isinstance(person, ChartedPerson):
        return [patients.stored(person.demographics, issued)]
    pen = Pen(person.chart, issued, directory, version)
    made = supplement.added(pen, [patients.charted(person.chart, issued, version), *_written(pen, person.chart)])
    return made + provenance.written(pen, made)


def _written(pen: Pen, chart: Chart) -> list[Resource]:
    made = [
        write(pen, fact)
        for kind, write in _ONE_EACH.items()
        for fact in chart.of(kind)
        if not fact.no_information or kind in {"problems", "medication_allergies"}
    ]
    for fact in chart.of("encounters"):
        made += [conditions.diagnosis(pen, fact)] if fact.code("diagnosis") else []
    for fact in chart.of("assessment_plan"):
        made += [conditions.order(pen, fact)] if conditions.ordered(fact) else []
    for fact in chart.of("udi"):
        made += [care.implantation(pen, fact)] if fact.code("procedure") else []
    for fact in chart.of("medications"):
        made += [] if fact.no_information else medicines.written(pen, fact)
    for fact in chart.of("notes"):
        made += [] if fact.no_information else documents.written(pen, fact)
    if team := tuple(fact for fact in chart.of("care_team") if not fact.no_information):
        made.append(conditions.team(pen, team))
    made += measured.results(pen, chart.of("laboratory_results"))
    made += measured.vital_signs(pen, chart.of("vital_signs"))
    return [resource for resource in made if pen.has(resource["resourceType"])]


_ONE_EACH: dict[str, Callable[[Pen, Fact], Resource]] = {
    "medication_allergies": conditions.allergy,
    "problems": conditions.problem,
    "health_concerns": conditions.concern,
    "goals": conditions.goal,
    "assessment_plan": conditions.plan,
    "referrals": conditions.referral,
    "encounters": care.encounter,
    "procedures": care.procedure,
    "immunizations": care.immunization,
    "udi": care.device,
    "coverage": care.coverage,
    "smoking_status": lived.smoking,
    "social_history": lived.habit,
    "functional_status": lived.ability,
    "mental_status": lived.ability,
}
