"""The data a certified API must answer for, by category and by element, and where each lives in C-CDA and FHIR."""

from onc_conformance.uscdi.categories import Category, Section, categories, sections, title
from onc_conformance.uscdi.elements import (
    DataSet,
    Demand,
    Element,
    Enforcement,
    Place,
    Reason,
    Silence,
    Step,
    data_set,
    of_edition,
)

__all__ = [
    "Category",
    "DataSet",
    "Demand",
    "Element",
    "Enforcement",
    "Place",
    "Reason",
    "Section",
    "Silence",
    "Step",
    "categories",
    "data_set",
    "of_edition",
    "sections",
    "title",
]
