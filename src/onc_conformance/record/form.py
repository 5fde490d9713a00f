"""The form in which people write expected records: TOML or YAML with a list `patient`."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from onc_conformance import moments
from onc_conformance.record.codes import systems


def _moment(text: str) -> str:
    if moments.iso(text) is None:
        raise ValueError("expected an ISO date: 2011, 2011-10, 2011-10-05 or 2011-10-05T23:30:00-05:00")
    return text


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value


def _system(name: str) -> str:
    if name not in systems():
        raise ValueError(f"expected one of {', '.join(sorted(systems()))}")
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
    """A code in a system named by its short name."""

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
    """A person on the care team."""

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

    use: Literal["home", "work", "temp", "old"] = "home"
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
    use: Literal["home", "mobile", "work"] = "home"
    value: Words


class QuantityForm(Form):
    """A number with its UCUM unit."""

    value: float
    unit: str = ""


class RangeForm(Form):
    """A reference range in the unit of the value."""

    low: float | None = None
    high: float | None = None


class FactForm(Form):
    """What any fact may carry."""

    id: Slug | None = None
    code: CodeForm | None = None
    also: list[CodeForm] = []
    """Further codes that may stand for `code` in an answer."""
    text: str = ""
    start: Moment | None = None
    end: Moment | None = None
    date: Moment | None = None
    status: str | None = None
    encounter: Slug | None = None
    optional: bool = False
    visual: bool = False
    no_information: bool = False

    @model_validator(mode="after")
    def _is_about_something(self) -> FactForm:
        if self.date and (self.start or self.end):
            raise ValueError("expected either date, for a point event, or start and end")
        first, last = moments.iso(self.start or ""), moments.iso(self.end or "")
        if first and last and first.first and last.last and first.first > last.last:
            raise ValueError("expected an end that is not before the start")
        if not (self.code or self.text or self.no_information or self._names_itself()):
            raise ValueError("expected a code or a text; or no_information = true")
        return self

    def _names_itself(self) -> bool:
        return False


class MedicationForm(FactForm):
    """A medication as taken."""

    dose: QuantityForm | None = None
    route: CodeForm | None = None
    every: QuantityForm | None = None


class AllergyForm(FactForm):
    """An allergy to a substance, which is the code."""

    type: CodeForm | None = None
    reaction: CodeForm | None = None
    severity: CodeForm | None = None


class MeasurementForm(FactForm):
    """A result or vital sign."""

    value: float | str | None = None
    unit: str | None = None
    interpretation: str | None = None
    range: RangeForm | None = None
    panel: CodeForm | None = None


class ImmunizationForm(FactForm):
    """A vaccine given."""

    lot: str | None = None
    manufacturer: str | None = None


class DeviceForm(FactForm):
    """An implanted device."""

    udi: str | None = None
    procedure: CodeForm | None = None

    def _names_itself(self) -> bool:
        return bool(self.udi)


class MemberForm(FactForm):
    """A member of the care team."""

    member: PersonForm | None = None
    role: CodeForm | None = None

    def _names_itself(self) -> bool:
        return self.member is not None


class PlanForm(FactForm):
    """An assessment, or something planned."""

    kind: Literal["assessment", "plan"] = "assessment"


class EncounterForm(FactForm):
    """A visit or stay."""

    diagnosis: CodeForm | None = None
    location: str | None = None


class NoteForm(FactForm):
    """A clinical note; the code is its LOINC type."""

    author: str | None = None


class CoverageForm(FactForm):
    """A health insurance policy."""

    payer: str | None = None
    member_id: str | None = None
    group: str | None = None
    relationship: CodeForm | None = None


class StatusForm(FactForm):
    """An observation whose answer may be a code or a number."""

    value: CodeForm | float | str | None = None
    unit: str | None = None


class PatientForm(Form):
    """One patient: who, then facts by class."""

    id: Slug
    title: str = ""
    setting: Literal["ambulatory", "inpatient"] = "ambulatory"
    vars: dict[str, str] = {}
    name: NameForm
    birth_date: Moment
    sex: Literal["male", "female", "undifferentiated", "unknown"]
    birth_sex: Literal["F", "M", "UNK"] | None = None
    race: list[CategoryCodeForm] = []
    ethnicity: CategoryCodeForm | None = None
    language: str | None = None
    marital_status: MaritalForm | None = None
    address: list[AddressForm] = []
    telecom: list[TelecomForm] = []
    smoking_status: list[FactForm] = []
    problems: list[FactForm] = []
    medications: list[MedicationForm] = []
    medication_allergies: list[AllergyForm] = []
    laboratory_results: list[MeasurementForm] = []
    vital_signs: list[MeasurementForm] = []
    procedures: list[FactForm] = []
    care_team: list[MemberForm] = []
    immunizations: list[ImmunizationForm] = []
    udi: list[DeviceForm] = []
    assessment_plan: list[PlanForm] = []
    goals: list[FactForm] = []
    health_concerns: list[FactForm] = []
    encounters: list[EncounterForm] = []
    notes: list[NoteForm] = []
    social_history: list[StatusForm] = []
    functional_status: list[StatusForm] = []
    mental_status: list[StatusForm] = []
    coverage: list[CoverageForm] = []


class PatientsForm(Form):
    """A patients file."""

    patient: Annotated[list[PatientForm], Field(min_length=1)]


def schema() -> dict[str, Any]:
    """The JSON Schema of a patients file, as kept in schemas/record.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Expected records of test patients",
    } | PatientsForm.model_json_schema()


KINDS = tuple(
    name
    for name, field in PatientForm.model_fields.items()
    if any(isinstance(kind, type) and issubclass(kind, FactForm) for kind in get_args(field.annotation))
)
"""The classes of facts."""
