"""Requests as a description writes them: what is sent, what is taken from the answer, where the document is."""

# ruff: noqa: RUF012 - pydantic copies the defaults of its fields

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from onc_conformance.targets.terms import (
    Name,
    PatternTemplate,
    Plugin,
    Table,
    Templated,
    checked_path,
    checked_template,
    strings,
)


class Extraction(Table):
    """Where in an answer something is found."""

    from_: Annotated[Literal["json", "xml", "header", "cookie", "text", "status"], Field(alias="from")]
    path: str | None = None
    """JSONPath, XPath by local names, the name of a header or cookie (or /regex/), or /regex/ with a group for text."""
    pick: Literal["only", "first", "all"] = "first"
    """only: none is no_match, several are ambiguous."""
    required: bool = True

    @model_validator(mode="after")
    def _has_path(self) -> Self:
        if self.path is None and self.from_ in {"json", "header", "cookie"}:
            raise ValueError(f'from = "{self.from_}" needs a path')
        if self.path and self.from_ == "status":
            raise ValueError('from = "status" takes no path')
        checked_path(self.from_, self.path)
        return self


class Capture(Extraction):
    """A value taken from an answer for later requests."""

    where: dict[str, PatternTemplate] = {}
    """Fields of the same row that must have these values, compared without regard to case."""
    between: str | None = None
    """A date field of the same row that must lie in the window asked for."""
    sort: str | None = None
    """A field of the row to sort by before picking; with - before it, descending."""
    secret: bool = False

    @model_validator(mode="after")
    def _has_rows(self) -> Self:
        if (self.where or self.between or self.sort) and (self.from_ != "json" or "[*]" not in (self.path or "")):
            raise ValueError('where, between and sort need rows: from = "json" and a path with [*]')
        return self


def _decoding(step: str) -> str:
    name, colon, argument = step.partition(":")
    if name not in (*DECODINGS, *_WITH_ARGUMENT):
        raise ValueError(f"unknown step {step!r}; expected {', '.join(DECODINGS)}, zip:GLOB or xml_child:NAME")
    if bool(argument) != (name in _WITH_ARGUMENT) or (colon and not argument):
        raise ValueError(f"{step!r}: zip and xml_child, and no other, take an argument: zip:*.xml, xml_child:NAME")
    return step


DECODINGS = ("strip_bom", "utf8", "base64", "json_string", "xml_unescape", "gzip")
_WITH_ARGUMENT = ("zip", "xml_child")
Decoding = Annotated[str, AfterValidator(_decoding)]


class DocumentPlace(Extraction):
    """Where in an answer the document is, and what it is wrapped in."""

    decode: list[Decoding] = []
    """Steps in order: strip_bom, utf8, base64, json_string, xml_unescape, gzip, zip:GLOB, xml_child:NAME."""


class Request(Table):
    """What every request has."""

    id: Name | None = None
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Templated
    query: dict[str, Templated] = {}
    headers: dict[str, Templated] = {}
    form: dict[str, Templated] | None = None
    json_: Annotated[dict[str, Any] | None, Field(alias="json")] = None
    xml: Templated | None = None
    raw: Templated | None = None
    let: dict[Name, Templated] = {}
    """Inner strings, evaluated in order before the request."""
    sign: Name | None = None
    """The [sign.NAME] to sign with."""
    capture: dict[Name, Capture] = {}
    omit_empty: bool = False
    """Whether entries whose value turns out empty are left out."""
    plugin: Plugin | None = None
    """pkg.module:Class, a subclass of onc_conformance.targets.plugins.StepPlugin."""

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        bodies = [name for name in ("form", "json", "xml", "raw") if self.body(name) is not None]
        if len(bodies) > 1:
            raise ValueError(f"a request has one body, this has {' and '.join(bodies)}; keep one")
        if bodies and self.method == "GET" and getattr(self, "kind", "http") == "http":
            raise ValueError(f'a GET carries no {bodies[0]}; use query, or method = "POST"')
        for text in strings(self.json_ or {}):
            checked_template(text)
        return self

    def body(self, name: str) -> Any:
        """The body of this kind, None if there is none."""
        return self.json_ if name == "json" else getattr(self, name)


class Step(Request):
    """One request of an operation."""

    document: DocumentPlace | None = None
    dates: bool | None = None
    """Whether the window goes into this request; without it, into the step that has the document."""
    foreach: Name | None = None
    """A captured list: the step is done once for each of its items."""
    as_: Annotated[Name | None, Field(alias="as")] = None
    """The name of the item while the step is done."""
    identity: Literal["none"] | None = None

    @model_validator(mode="after")
    def _foreach_as(self) -> Self:
        if (self.foreach is None) != (self.as_ is None):
            raise ValueError('foreach and as go together: foreach = "encounter_ids", as = "encounter_id"')
        return self


class Op(Table):
    """The requests that make one operation, in order."""

    step: list[Step] = []
    identity: Literal["none"] | None = None
    """none: the answers carry no patient, so whose they are is judged by their content."""
    plugin: Plugin | None = None
    """pkg.module:Class, a subclass of onc_conformance.targets.plugins.OpPlugin, in place of steps."""

    @model_validator(mode="after")
    def _steps_or_plugin(self) -> Self:
        if bool(self.step) == (self.plugin is not None):
            raise ValueError("an operation has steps, [[ops.NAME.step]], or a plugin, one of them")
        return self

    @property
    def names_patient(self) -> bool:
        """Whether its answers say whose they are."""
        return "none" not in {self.identity, self.step[-1].identity if self.step else None}

    @property
    def document(self) -> DocumentPlace | None:
        """Where the document is; None for a plugin's operation, and one that yields none."""
        return self.step[-1].document if self.step else None


class OpsTable(Table):
    """What the API can do."""

    select_patient: Op | None = None
    list_encounters: Op | None = None
    category: Op | None = None
    all_data: Op | None = None

    def __contains__(self, name: str) -> bool:
        """Whether the operation of this name is described."""
        return getattr(self, name, None) is not None
