"""The data a certified API must answer for, by category and by element, and where each lives in C-CDA and FHIR."""

from onc_conformance.uscdi.categories import Category, Section, categories, sections, title
from onc_conformance.uscdi.elements import (
    DataSet,
    Demand,
    Element,
    Enforcement,
    FhirPlace,
    Place,
    Reason,
    Silence,
    Step,
    ValueSet,
    data_set,
    of_edition,
)

__all__ = [
    "Category",
    "DataSet",
    "Demand",
    "Element",
    "Enforcement",
    "FhirPlace",
    "Place",
    "Reason",
    "Section",
    "Silence",
    "Step",
    "ValueSet",
    "categories",
    "data_set",
    "of_edition",
    "sections",
    "title",
]
