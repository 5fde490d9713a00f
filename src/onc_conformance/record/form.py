"""The form in which people write expected records: TOML or YAML with a list `patient` (docs/records.md)."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    create_model,
    model_validator,
)

from onc_conformance import moments
from onc_conformance.record.classes import FactClass, Key, classes, keys
from onc_conformance.record.codes import systems

if TYPE_CHECKING:
    from collections.abc import Sequence

_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")


def _moment(text: str) -> str:
    if moments.iso(text) is None:
        raise ValueError("expected an ISO date: 2011, 2011-10, 2011-10-05 or 2011-10-05T23:30:00-05:00")
    return text


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a number, words, or a code")  # noqa: TRY004 - which pydantic tells with its place
    return value


def _system(name: str) -> str:
    if name not in systems() and not _OID.fullmatch(name):
        raise ValueError(f"expected an OID or one of {', '.join(sorted(systems()))}")
    return name


def _start(text: str) -> str:
    return _moment(text) if text else text


Moment = Annotated[str, BeforeValidator(_text), AfterValidator(_moment)]
MaybeMoment = Annotated[str, BeforeValidator(_text), AfterValidator(_start)]
System = Annotated[str, AfterValidator(_system)]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Words = Annotated[str, Field(min_length=1)]


class Form(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CodeForm(Form):
    """A code in a system named by its short name, or by its OID."""

    system: System
    code: Words
    display: str = ""


class CategoryCodeForm(CodeForm):
    """A race or ethnicity code, or a null flavor (`UNK`, `ASKU`) where nothing is known."""

    system: System = "cdcrec"


class MaritalForm(CodeForm):
    """A code of HL7 MaritalStatus."""

    system: System = "marital"


class PersonForm(Form):
    """A person beside the patient."""

    family: Words
    given: Words | Annotated[list[Words], Field(min_length=1)]
    prefix: str = ""
    suffix: str = ""


class PreviousNameForm(Form):
    """A name borne before."""

    family: Words
    given: Annotated[list[Words], Field(min_length=1)]
    prefix: str = ""
    suffix: str = ""


class NameForm(PreviousNameForm):
    """The name borne now: the first given name, then middle names."""

    previous: list[PreviousNameForm] = []


class AddressForm(Form):
    """A postal address, and from when to when it held."""

    use: Literal["home", "work", "temp", "old", ""] = "home"
    """Nothing where it is not known."""
    line: list[str] = []
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    start: MaybeMoment = ""
    end: MaybeMoment = ""


class TelecomForm(Form):
    """A telephone number or an e-mail address."""

    system: Literal["phone", "email"]
    use: Literal["home", "mobile", "work", ""] = "home"
    """Nothing where it is not known."""
    value: Words


class QuantityForm(Form):
    """A number with its UCUM unit."""

    value: Annotated[FiniteFloat, BeforeValidator(_no_flag)]
    unit: str = ""


class RangeForm(Form):
    """A reference range in the unit of the value, or in words."""

    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    text: str | None = None


class FillForm(Form):
    """What was dispensed."""

    status: str | None = None
    repeat: int | None = None
    quantity: FiniteFloat | None = None


class ProvenanceForm(Form):
    """Who wrote a fact down, when, for which organization."""

    time: Moment | None = None
    author: str | None = None
    organization: str | None = None


class FactForm(Form):
    """What any fact may carry."""

    named_by: ClassVar[frozenset[str]] = frozenset()

    id: Slug | None = None
    code: CodeForm | None = None
    also: Annotated[list[CodeForm], Field(description="further codes that may stand for `code` in an answer")] = []
    text: str = ""
    look_for: Annotated[str, Field(description="what a person must see beside what the machine judges")] = ""
    start: Moment | None = None
    end: Moment | None = None
    date: Annotated[Moment | None, Field(description="of a point event; else `start` and `end`")] = None
    status: str | None = None
    encounter: Annotated[Slug | None, Field(description="id of an encounter of this patient")] = None
    provenance: ProvenanceForm | None = None
    may_lack: Annotated[
        list[Words] | None, Field(description="keys an answer may leave out, though not tell otherwise")
    ] = None
    optional: Annotated[bool, Field(description="may be absent, and may be there")] = False
    visual: Annotated[bool, Field(description="for a person to see; the machine does not ask for it")] = False
    no_information: Annotated[bool, Field(description="none are known, or nothing is known of this class")] = False

    @model_validator(mode="after")
    def _is_about_something(self) -> FactForm:
        if self.date and (self.start or self.end):
            raise ValueError("expected either date, for a point event, or start and end")
        first, last = moments.iso(self.start or ""), moments.iso(self.end or "")
        if first and last and first.first and last.last and first.first > last.last:
            raise ValueError("expected an end that is not before the start")
        if unknown := [name for name in self.may_lack or () if name not in type(self).model_fields]:
            raise ValueError(f"may_lack: {unknown[0]!r} is no key of such a fact")
        told = self.code or self.text or self.no_information or any(getattr(self, name) for name in self.named_by)
        if not told:
            named = "".join(f" or a {name}" for name in sorted(self.named_by))
            raise ValueError(f"expected a code or a text{named}; or no_information = true")
        return self


class PersonOfRecordForm(Form):
    """Who a patient is."""

    id: Slug
    title: str = ""
    setting: Literal["ambulatory", "inpatient"] = "ambulatory"
    vars: dict[str, str] = {}
    name: NameForm
    birth_date: Moment
    death_date: Moment | None = None
    sex: Literal["male", "female", "undifferentiated", "unknown"]
    birth_sex: Literal["F", "M", "UNK"] | None = None
    race: list[CategoryCodeForm] = []
    ethnicity: CategoryCodeForm | None = None
    language: str | None = None
    marital_status: MaritalForm | None = None
    address: list[AddressForm] = []
    telecom: list[TelecomForm] = []


_TYPES: dict[str, Any] = {
    "text": str | None,
    "flag": bool | None,
    "moment": Moment | None,
    "slug": Slug | None,
    "code": CodeForm | None,
    "codes": list[CodeForm] | None,
    "code or text": CodeForm | str | None,
    "quantity": QuantityForm | None,
    "value": Annotated[CodeForm | FiniteFloat | str | None, BeforeValidator(_no_flag)],
    "range": RangeForm | None,
    "person": PersonForm | None,
    "address": AddressForm | None,
    "telecoms": list[TelecomForm] | None,
    "fill": FillForm | None,
}
"""What the types of keys in schemas/record-classes.toml accept."""


def _key(key: Key) -> tuple[Any, Any]:
    kind = _one_of(key.choices) if key.type == "choice" else _TYPES[key.type]
    return Annotated[kind, Field(description=key.about)], None


def _one_of(choices: Sequence[str]) -> Any:
    return Literal[tuple(choices)] | None


def _form_of(each: FactClass) -> type[FactForm]:
    own = {name: _key(keys()[name]) for name in each.keys}
    if each.kinds:
        own["kind"] = (_one_of(tuple(each.kinds)), each.default_kind)
    name = "".join(part.capitalize() for part in each.name.split("_"))
    form = create_model(name, __base__=FactForm, __doc__=each.about, **own)  # type: ignore[call-overload]
    form.named_by = each.named_by
    return form  # type: ignore[no-any-return]


@cache
def patients_form() -> type[BaseModel]:
    """The model of a patients file: `patient`, each with who it is and facts by class."""
    facts: dict[str, Any] = {name: (list[_form_of(each)], []) for name, each in classes().items()}  # type: ignore[misc]
    patient: Any = create_model("Patient", __base__=PersonOfRecordForm, __doc__="Who, then facts by class.", **facts)
    listed: Any = (Annotated[list[patient], Field(min_length=1)], ...)
    return create_model("PatientsFile", __base__=Form, __doc__="A patients file.", patient=listed)


def schema() -> dict[str, Any]:
    """The JSON Schema of a patients file, as kept in schemas/record.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Expected records of test patients",
    } | patients_form().model_json_schema()
