"""The vocabulary of a target description: what may stand in the file, and what it means."""

# ruff: noqa: RUF012 - pydantic copies the defaults of its fields

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from onc_conformance.targets.logins import SCHEMES, TOKEN, AuthStep
from onc_conformance.targets.onward import Paginate, Poll
from onc_conformance.targets.population import BulkTable
from onc_conformance.targets.smart import SmartTable
from onc_conformance.targets.steps import OpsTable
from onc_conformance.targets.terms import (
    Category,
    ErrorClass,
    Name,
    Operation,
    Pattern,
    Policy,
    Statuses,
    Table,
    Templated,
    Texts,
    checked_path,
)


class TargetTable(Table):
    """Who is tested, where it is, and how it is reached."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    """Short name, lower case; used in reports and on the command line."""
    title: str = ""
    """What people call it; without it, the product's name."""
    base: dict[Name, Templated] = {}
    """Named base URLs, used as {base.NAME}."""
    criteria: list[Literal["g7", "g8", "g9", "g10"]] | None = None
    """The criteria claimed; without it g7, and g8, g9 and g10 where there is ops.category, ops.all_data and fhir."""
    timeout_s: Annotated[float, Field(gt=0)] = 30.0
    """Seconds to wait for an answer."""
    tls_verify: bool | Templated = True
    """false checks no certificate; a path is a file of trusted certificate authorities. A variable may be unset."""
    client_cert: str | tuple[str, str] | None = None
    """A PEM file, or the files of certificate and key."""
    proxy: str | None = None
    """The URL of a proxy; without it the environment decides."""
    secrets: list[str] | None = None
    """Names of environment variables that are masked; without it those ending PASS, PASSWORD, SECRET, TOKEN or KEY."""


class ProductTable(Table):
    """What is printed on every report."""

    name: str = ""
    version: str = ""
    developer: str = ""
    chpl_id: str = ""
    """The product's number in the Certified Health IT Product List."""
    setting: Literal["ambulatory", "inpatient"] | None = None


class DocumentationTable(Table):
    """Where the API is documented for everyone, and where on the page each required item is."""

    api: Templated | None = None
    """URL of the API documentation."""
    terms: Templated | None = None
    """URL of the terms of use."""
    endpoints: Templated | None = None
    """URL of the published list of service base addresses, a Bundle of Endpoints and Organizations."""
    registration: Templated | None = None
    """URL of the page on which an app is registered."""
    items: dict[
        Literal[
            "syntax", "functions", "parameters", "returns", "exceptions", "components", "dates", "registration", "terms"
        ],
        str,
    ] = {}
    """CSS selector, XPath, or a text that occurs, for each required item."""


class LimitsTable(Table):
    """Politeness. 429 and Retry-After are honoured whatever stands here."""

    requests_per_s: Annotated[float, Field(gt=0)] | None = None
    max_parallel: Annotated[int, Field(ge=1)] = 1
    """Requests under way at once. A target is asked one thing at a time, so that no limit is ever reached."""


class Apply(Table):
    """What every request of an operation carries once logged in."""

    headers: dict[str, Templated] = {}
    cookies: dict[str, Templated] = {}
    query: dict[str, Templated] = {}
    form: dict[str, Templated] = {}
    body: dict[str, Templated] = {}
    """Entries of a JSON body."""
    xml: dict[str, Templated] = {}
    """Elements put first into the root of an XML body; their content is inserted as it is."""


class Refresh(Table):
    """When to log in again."""

    on: list[ErrorClass] = ["auth"]
    max: Annotated[int, Field(ge=0)] = 1
    """How often one request may be tried again after a new login."""
    ttl_s: Annotated[float, Field(gt=0)] | None = None
    """Seconds after which to log in again unasked."""


class AuthTable(Table):
    """How a client logs in and shows it."""

    step: list[AuthStep] = []
    apply: Apply = Apply()
    refresh: Refresh | None = None

    @model_validator(mode="before")
    @classmethod
    def _shown(cls, data: Any) -> Any:
        """A login of a usual kind travels in the usual header, unless apply says how."""
        steps = data.get("step") if isinstance(data, dict) and "apply" not in data else None
        kind = steps[-1].get("kind") if isinstance(steps, list) and steps and isinstance(steps[-1], dict) else None
        scheme = SCHEMES.get(kind) if isinstance(kind, str) else None
        return data | {"apply": {"headers": {"Authorization": f"{scheme} {{{TOKEN}}}"}}} if scheme else data


class Selection(Table):
    """How a patient is chosen: searched for, bound to the credentials, or chosen when the app was launched."""

    kind: Literal["search", "credential_bound", "launch_context"]
    """launch_context: the token is for one patient, whose id an auth step has."""


class Dates(Table):
    """How a date or a range of dates is asked for."""

    style: Literal["pair", "prefix_repeat", "none"]
    format: str = "%Y-%m-%d"
    start: str = "start"
    end: str = "end"
    prefixes: Annotated[list[str], Field(min_length=2, max_length=2)] = ["ge", "le"]
    bounds: Literal["both_or_none", "either"] = "either"
    single: Literal["equal", "eq", "pair"] | None = None
    as_: Annotated[Literal["query", "form", "body", "var"], Field(alias="as")] = "query"
    policy: Annotated[
        dict[str, Policy],
        BeforeValidator(
            lambda value: {"default": value} if isinstance(value, str) else value,
            json_schema_input_type=Policy | dict[str, Policy],
        ),
    ] = {}
    """Which date decides: for all classes, or a table of classes (and default)."""

    @model_validator(mode="after")
    def _single_fits(self) -> Self:
        allowed = ("eq", "pair") if self.style == "prefix_repeat" else ("equal",)
        if self.single is not None and self.single not in allowed:
            raise ValueError(f'single = "{self.single}" does not fit style = "{self.style}"; expected {allowed[0]!r}')
        if self.style == "pair" and self.start == self.end:
            raise ValueError(f"start and end are both {self.start!r}; a pair needs two names")
        if self.start == self.end and self.as_ in {"body", "var"}:
            raise ValueError(f'a name given twice does not go into as = "{self.as_}"; expected query or form')
        return self


class CategoryTable(Table):
    """What the vendor calls a category, and how it is asked for."""

    name: Texts = []
    """A list means one request each, the results united."""
    join: str | None = None
    """Sends a list of names in one request, joined by this."""
    scope: Literal["patient", "encounter"] = "patient"
    """encounter: asked for each encounter of the patient."""
    date_policy: Policy | None = None
    url: Templated | None = None
    """An address of its own for this category."""
    assumed: bool = False
    """Not in the vendor's documentation: a refusal is not a failure."""
    unsupported: bool = False

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.name and not self.unsupported and self.url is None:
            raise ValueError("a category needs a name, a url of its own, or unsupported = true")
        return self


CategoryEntry = Annotated[
    CategoryTable,
    BeforeValidator(
        lambda value: {"name": value} if isinstance(value, (str, list)) else value,
        json_schema_input_type=str | list[str] | CategoryTable,
    ),
]


class Sign(Table):
    """How requests are signed."""

    scheme: Literal["hmac"] = "hmac"
    hash: Literal["sha256", "sha384", "sha512", "sha1"] = "sha256"
    key: Templated
    out: Literal["base64", "base64url", "hex"] = "base64"
    join: str = "\n"
    parts: Annotated[list[tuple[str, Templated]], Field(min_length=1)]
    """Name and value, in order: the string that is signed has a line `name: value` for each."""
    set_headers: dict[str, Templated] = {}


class Conditions(Table):
    """What must all be true of an answer. What is absent never matches, negated or not."""

    status: Statuses | None = None
    header: dict[str, Pattern] = {}
    json_: Annotated[dict[str, Pattern], Field(alias="json")] = {}
    xml: dict[str, Pattern] = {}
    text: Pattern | None = None
    present: Texts = []
    """Headers, JSONPaths ($…) or XPaths (/…) that must be there."""
    absent: Texts = []

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for kind, paths in (("json", self.json_), ("xml", self.xml)):
            for path in paths:
                checked_path(kind, path)
        for place in (*self.present, *self.absent):
            if place[:1] in {"$", "/"}:
                checked_path("json" if place.startswith("$") else "xml", place)
        return self

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.model_fields_set - {"class_"}:
            raise ValueError("no condition; expected status, header, json, xml, text, present or absent")
        return self


class ErrorTable(Conditions):
    """A kind of refusal, and how it is recognised."""

    class_: Annotated[ErrorClass, Field(alias="class")]


class Mutation(Table):
    """What is spoiled in a request that would otherwise work."""

    set: dict[str, Templated] = {}
    """Captures, [vars], environment names or signature, and what they become."""
    unset: Texts = []
    drop_header: Texts = []
    wait_s: Annotated[float, Field(ge=0)] = 0.0
    no_refresh: bool = False

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.set or self.unset or self.drop_header or self.wait_s):
            raise ValueError("spoils nothing; expected set, unset, drop_header or wait_s")
        return self


class Misuse(Table):
    """A request that must be refused."""

    op: Operation
    mutate: Mutation
    expect: Annotated[list[ErrorClass], Field(min_length=1)]


class FhirTable(Table):
    """Where the FHIR server of (g)(10) is, and what it does not do: a switch turned off is told in every report."""

    base: Name = "fhir"
    """The name of its address among target.base."""
    post: bool = True
    """Whether it is searched by POST too."""
    provenance: bool = True
    """Whether Provenance comes along by _revinclude."""
    without: list[Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]+$")]] = []
    """Types of resources the product does not have."""
    max_pages: Annotated[int, Field(ge=1)] = 50
    """An answer with more pages is given up."""


class Description(Table):
    """One TOML file: how to speak to a vendor's API."""

    target: TargetTable
    product: ProductTable = ProductTable()
    documentation: DocumentationTable = DocumentationTable()
    limits: LimitsTable = LimitsTable()
    vars: dict[Name, Templated] = {}
    """Constants and inner strings, evaluated when used."""
    auth: AuthTable = AuthTable()
    selection: Selection
    sign: dict[Name, Sign] = {}
    dates: Dates = Dates(style="none")
    paginate: Paginate | None = None
    poll: Poll | None = None
    ops: OpsTable
    fhir: FhirTable | None = None
    smart: SmartTable | None = None
    bulk: BulkTable | None = None
    categories: dict[Category, CategoryEntry] = {}
    ok: list[Conditions] = []
    error: list[ErrorTable] = []
    negative: list[Misuse] = []
