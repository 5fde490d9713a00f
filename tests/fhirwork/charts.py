"""Charts without a server: a patient's resources as if they had been gathered, in one version of US Core."""

from dataclasses import dataclass, field
from types import SimpleNamespace

from onc_conformance import fhir
from onc_conformance.fhirwork import demands
from onc_conformance.fhirwork.asking import Found, Got
from onc_conformance.fhirwork.chart import Chart, Kept


@dataclass
class Bare:
    """A server that answers what it is given for a type's search, and nothing else."""

    answers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def search(self, _subject, kind, parameters, **_):
        self.asked.append((kind, parameters))
        return self.answers[kind, parameters]


class Paper(Chart):
    """A chart of resources that are at hand."""

    def __init__(self, name, *resources, version="6.1.0", server=None):
        super().__init__(server or Bare(), None, fhir.load(version))
        self.name = name
        got = Got("GET everything", None, None, None)
        self.__dict__["own"] = {(each["resourceType"], each["id"]): Kept(each, got) for each in resources}
        self.__dict__["kinds"] = tuple(kind for kind in self.tables.searches if demands.by_patient(self.tables, kind))

    @property
    def id(self):
        return self.name


def condition(name, **elements):
    return {"resourceType": "Condition", "id": name, "category": [code("c", "problem-list-item")], **elements}


def code(system, value):
    return {"coding": [{"system": system, "code": value}]}


def found(kind, parameters, *entries):
    """The answer to a search."""
    return Found(kind, parameters, (SimpleNamespace(refused=False, ok=True, kind="Bundle"),), entries)
