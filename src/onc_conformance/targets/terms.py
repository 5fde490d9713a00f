"""The terms a description is written in: canonical names, classes of refusal, templates and patterns."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from onc_conformance.targets.paths import PathError, json_path, xml_path
from onc_conformance.targets.templates import TemplateError, parse

CCDS = (
    "patient_name", "sex", "birth_date", "race", "ethnicity", "preferred_language", "smoking_status", "problems",
    "medications", "medication_allergies", "laboratory_tests", "laboratory_results", "vital_signs", "procedures",
    "care_team", "immunizations", "udi", "assessment_plan", "goals", "health_concerns",
)  # fmt: skip
"""The twenty categories of the Common Clinical Data Set, by their canonical names."""

Category = Literal[
    "patient_name", "sex", "birth_date", "race", "ethnicity", "preferred_language", "smoking_status", "problems",
    "medications", "medication_allergies", "laboratory_tests", "laboratory_results", "vital_signs", "procedures",
    "care_team", "immunizations", "udi", "assessment_plan", "goals", "health_concerns",
    "encounters", "notes", "social_history", "functional_status", "mental_status", "reason_for_visit", "referrals",
    "coverage",
]  # fmt: skip
ErrorClass = Literal[
    "auth", "forbidden", "no_match", "ambiguous", "bad_request", "not_supported", "server", "no_data"
]  # fmt: skip
Policy = Literal["filter", "overlap", "encounter", "ignore"]
Operation = Literal["select_patient", "category", "all_data"]


def checked_template(text: str) -> str:
    """The text if it is a template; ValueError if it is none."""
    try:
        parse(text)
    except TemplateError as problem:
        raise ValueError(str(problem)) from None
    return text


def checked_path(kind: str, path: str | None) -> None:
    """Whether a path can be read as what `kind` of place it points into takes; ValueError if not."""
    try:
        if path is not None and kind == "json":
            json_path(path)
        elif path is not None and kind == "xml":
            xml_path(path)
        elif path is not None:
            _regex(path)
    except PathError as problem:
        raise ValueError(str(problem)) from None


def _regex(text: str) -> str:
    """A condition: plain text, `/regex/flags` or `!/regex/flags`."""
    if found := REGEX.fullmatch(text):
        try:
            re.compile(found["regex"])
        except re.error as problem:
            raise ValueError(f"{text!r} is no regular expression: {problem}") from None
    return text


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


REGEX = re.compile(r"(?P<negated>!?)/(?P<regex>.*)/(?P<flags>[is]*)", re.DOTALL)
"""How a regular expression is written in a description: between slashes, `!` before it negates."""

Templated = Annotated[str, AfterValidator(checked_template)]
Pattern = Annotated[str, AfterValidator(_regex)]
PatternTemplate = Annotated[str, AfterValidator(checked_template), AfterValidator(_regex)]
Texts = Annotated[list[str], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
Statuses = Annotated[list[int], BeforeValidator(_listed, json_schema_input_type=int | list[int])]
Plugin = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][\w-]*$")]


class Table(BaseModel):
    """A TOML table in which a key nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False, use_attribute_docstrings=True)


def strings(value: Any) -> list[str]:
    """Every string value inside a JSON-like value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [text for item in inner for text in strings(item)]
