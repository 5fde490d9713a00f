"""The sections of a summary: which facts each holds, what a person reads of them, and the entries behind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from onc_conformance.reference.cda import answers, cared, conditions, observed, treatments
from onc_conformance.reference.cda.markup import OID, el, fixed, template, words
from onc_conformance.reference.cda.narrative import Named, answer, dose, measured, row, row_title, table, usual, when

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from onc_conformance.reference.charts import Chart, Code, Fact


@dataclass(frozen=True, slots=True)
class Page:
    """What sections are written from: a chart, narrowed already, and the edition."""

    chart: Chart
    edition: str = "uscdi-v3"
    told: Chart | None = None
    """What a person reads, where that is another chart."""
    sayings: Mapping[str, str] = field(default_factory=dict)
    """What a person reads instead of the rows of a class."""


Written = tuple[list[str], list[str]]
"""Narrative rows and entries."""


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of section: its code, its templates, the classes it holds, its table, its entries."""

    loinc: str
    title: str
    templates: str
    kinds: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Callable[[Fact], Sequence[object]]
    entries: Callable[[Page, Sequence[Fact]], Sequence[str]]
    keep: Callable[[Fact], bool] | None = None
    negates: bool = False
    """Whether a fact that says "none known" is an entry here, and not an absence of information."""
    personal: Callable[[Page], Written] | None = None
    """What it says of the person beyond the facts."""
    told: bool = True
    """Whether it has a narrative."""

    def write(self, page: Page) -> str:
        """The section; where nothing is charted it says so instead of being absent."""
        facts = self._of(page.chart)
        stated = [fact for fact in facts if self.negates or not fact.no_information]
        told = [fact for fact in self._of(page.told or page.chart) if self.negates or not fact.no_information]
        rows = [row(fact, (row_title(fact),) if fact.no_information else self.cells(fact)) for fact in told]
        entries = list(self.entries(page, stated)) if stated else []
        if self.personal:
            more_rows, more_entries = self.personal(page)
            rows, entries = rows + more_rows, entries + more_entries
        silence = next((fact.text("text") for fact in facts if fact.text("text")), "No information.")
        return el(
            "section",
            {} if rows else {"nullFlavor": "NI"},
            self.templates,
            fixed("code", "loinc", self.loinc, self.title),
            words("title", self.title),
            el("text", {}, self._narrative(rows, silence, page)),
            *(el("entry", {"typeCode": "DRIV"}, entry) for entry in entries),
        )

    def _of(self, chart: Chart) -> list[Fact]:
        return [fact for kind in self.kinds for fact in chart.of(kind) if self.keep is None or self.keep(fact)]

    def _narrative(self, rows: Sequence[str], silence: str, page: Page) -> str:
        if not self.told and rows:
            return ""
        if instead := page.sayings.get(self.kinds[0]):
            return words("paragraph", instead)
        return table(self.columns, rows) if rows else words("paragraph", silence)


def _each(write: Callable[[Chart, Fact], str]) -> Callable[[Page, Sequence[Fact]], Sequence[str]]:
    return lambda page, facts: [write(page.chart, fact) for fact in facts]


def _kind(name: str) -> Callable[[Fact], bool]:
    return lambda fact: fact.text("kind") == name


def _social_entries(page: Page, facts: Sequence[Fact]) -> list[str]:
    smoking = [observed.smoking_status(page.chart, fact) for fact in facts if fact.kind == "smoking_status"]
    return smoking + answers.social_history(page.chart, [fact for fact in facts if fact.kind == "social_history"])


def _sex(page: Page) -> Written:
    """Sex, now and at birth, is social history without a date of its own."""
    entries = answers.sex(page.chart, page.edition)
    letter, now = page.chart.person.get("birth_sex"), str(page.chart.person["sex"])
    told = [("birth-sex", "Sex assigned at birth", {"F": "Female", "M": "Male"}.get(str(letter), "Unknown"))]
    told += [("sex", "Sex", now.capitalize())] if len(entries) > len(told) else []
    return [
        el("tr", {"ID": anchor}, *(words("td", cell) for cell in (what, said, ""))) for anchor, what, said in told
    ], entries


def _team(page: Page, facts: Sequence[Fact]) -> list[str]:
    return [cared.care_team(page.chart, facts, "2019-07-01" if page.edition == "uscdi-v1" else "2022-06-01")]


def _section_template(number: str, extension: str) -> str:
    """Entries-required section templates stand beside the entries-optional ones they refine."""
    return template(f"{OID}.{number}", "", extension)


ALLERGIES = Section(
    "48765-2",
    "Allergies and adverse reactions",
    _section_template("2.6.1", "2015-08-01"),
    ("medication_allergies",),
    ("Substance", "Reaction", "Severity", "Status", "When"),
    lambda fact: (
        row_title(fact),
        fact.code("reaction") or "",
        fact.code("severity") or "",
        fact.text("status"),
        when(fact),
    ),
    _each(conditions.allergy),
    negates=True,
)
MEDICATIONS = Section(
    "10160-0",
    "Medications",
    _section_template("2.1.1", "2014-06-09"),
    ("medications",),
    ("Medication", "Directions", "In words", "Status", "When"),
    lambda fact: (
        row_title(fact),
        dose(fact),
        Named("directions", fact.text("instructions")),
        fact.text("status"),
        when(fact),
    ),
    _each(treatments.medication),
    negates=True,
)
PROBLEMS = Section(
    "11450-4",
    "Problems",
    _section_template("2.5.1", "2015-08-01"),
    ("problems",),
    ("Problem", "Status", "When"),
    lambda fact: (row_title(fact), fact.text("status"), when(fact)),
    _each(conditions.problem),
    negates=True,
)
PROCEDURES = Section(
    "47519-4",
    "Procedures",
    _section_template("2.7.1", "2014-06-09"),
    ("procedures",),
    ("Procedure", "Status", "When"),
    lambda fact: (row_title(fact), fact.text("status"), when(fact)),
    _each(treatments.procedure),
)
RESULTS = Section(
    "30954-2",
    "Results",
    _section_template("2.3.1", "2015-08-01"),
    ("laboratory_results",),
    ("Panel", "Test", "Result", "Interpretation", "Usual range", "When"),
    lambda fact: (
        fact.code("panel") or "",
        row_title(fact),
        measured(fact),
        fact.text("interpretation"),
        usual(fact),
        when(fact),
    ),
    lambda page, facts: observed.panels(page.chart, facts),
)
SOCIAL_HISTORY = Section(
    "29762-2",
    "Social history",
    _section_template("2.17", "2015-08-01"),
    ("smoking_status", "social_history"),
    ("What", "Finding", "When"),
    lambda fact: (
        ("Tobacco smoking status", row_title(fact), when(fact))
        if fact.kind == "smoking_status"
        else (row_title(fact), measured(fact), when(fact))
    ),
    _social_entries,
    personal=_sex,
)
SMOKING_STATUS = replace(SOCIAL_HISTORY, kinds=("smoking_status",), personal=None)
VITAL_SIGNS = Section(
    "8716-3",
    "Vital signs",
    _section_template("2.4.1", "2015-08-01"),
    ("vital_signs",),
    ("Measurement", "Value", "When"),
    lambda fact: (row_title(fact), measured(fact), when(fact)),
    lambda page, facts: observed.vital_signs(page.chart, facts),
)
IMMUNIZATIONS = Section(
    "11369-6",
    "Immunizations",
    _section_template("2.2.1", "2015-08-01"),
    ("immunizations",),
    ("Vaccine", "Lot", "Manufacturer", "Status", "When"),
    lambda fact: (
        row_title(fact),
        fact.text("lot"),
        fact.text("manufacturer"),
        ": ".join(filter(None, (fact.text("status"), str(fact.code("reason") or fact.text("reason"))))),
        when(fact),
    ),
    _each(treatments.immunization),
)
DEVICES = Section(
    "46264-8",
    "Medical equipment",
    _section_template("2.23", "2014-06-09"),
    ("udi",),
    ("Device", "Unique device identifier", "When"),
    lambda fact: (row_title(fact), fact.text("udi"), when(fact)),
    _each(treatments.device),
)
DEVICES_UNIDENTIFIED = replace(
    DEVICES,
    cells=lambda fact: (row_title(fact), "", when(fact)),
    entries=_each(lambda chart, fact: treatments.device(chart, fact, with_instance=False)),
)
ENCOUNTERS = Section(
    "46240-8",
    "Encounters",
    _section_template("2.22.1", "2015-08-01"),
    ("encounters",),
    ("Encounter", "Diagnosis", "Place", "When"),
    lambda fact: (row_title(fact), fact.code("diagnosis") or "", fact.text("location"), when(fact)),
    _each(cared.encounter),
)
ASSESSMENT = Section(
    "51848-0",
    "Assessment",
    template(f"{OID}.2.8", ""),
    ("assessment_plan",),
    ("Assessment", "When"),
    lambda fact: (row_title(fact), when(fact)),
    lambda _page, _facts: (),
    keep=_kind("assessment"),
)
PLAN = Section(
    "18776-5",
    "Plan of treatment",
    _section_template("2.10", "2014-06-09"),
    ("assessment_plan",),
    ("Plan", "When"),
    lambda fact: (row_title(fact), when(fact)),
    _each(cared.planned),
    keep=_kind("plan"),
)
ASSESSMENT_AND_PLAN = Section(
    "51847-2",
    "Assessment and plan",
    _section_template("2.9", "2014-06-09"),
    ("assessment_plan",),
    ("Kind", "What", "When"),
    lambda fact: (fact.text("kind"), row_title(fact), when(fact)),
    lambda page, facts: [cared.planned(page.chart, fact) for fact in facts if fact.text("kind") == "plan"],
)
GOALS = Section(
    "61146-7",
    "Goals",
    template(f"{OID}.2.60", ""),
    ("goals",),
    ("Goal", "When"),
    lambda fact: (row_title(fact), when(fact)),
    _each(cared.goal),
)
HEALTH_CONCERNS = Section(
    "75310-3",
    "Health concerns",
    template(f"{OID}.2.58", "2015-08-01"),
    ("health_concerns",),
    ("Concern", "When"),
    lambda fact: (row_title(fact), when(fact)),
    _each(cared.health_concern),
)
CARE_TEAM = Section(
    "85847-2",
    "Care team",
    template(f"{OID}.2.500", "2019-07-01", "2022-06-01"),
    ("care_team",),
    ("Member", "Role", "When"),
    lambda fact: (cared.member_name(fact), fact.code("role") or "", when(fact)),
    _team,
)
FUNCTIONAL_STATUS = Section(
    "47420-5",
    "Functional status",
    _section_template("2.14", "2014-06-09"),
    ("functional_status",),
    ("Finding", "When"),
    lambda fact: (answer(fact), when(fact)),
    lambda page, facts: answers.functional_status(page.chart, facts),
)
MENTAL_STATUS = Section(
    "10190-7",
    "Mental status",
    template(f"{OID}.2.56", "2015-08-01"),
    ("mental_status",),
    ("Finding", "When"),
    lambda fact: (answer(fact), when(fact)),
    lambda page, facts: answers.mental_status(page.chart, facts),
)
PAYERS = Section(
    "48768-6",
    "Payers",
    _section_template("2.18", "2015-08-01"),
    ("coverage",),
    ("Payer", "Kind", "Member", "When"),
    lambda fact: (
        fact.text("payer") or row_title(fact),
        fact.code() or "",
        fact.text("member_id"),
        when(fact),
    ),
    _each(cared.coverage),
)
REFERRALS = Section(
    "42349-1",
    "Reason for referral",
    template("1.3.6.1.4.1.19376.1.5.3.1.3.1", "", "2014-06-09"),
    ("referrals",),
    ("Referral", "To what", "When"),
    lambda fact: (row_title(fact), fact.code() or "", when(fact)),
    _each(cared.referral),
)
DISCHARGE_INSTRUCTIONS = Section(
    "8653-8",
    "Hospital discharge instructions",
    template(f"{OID}.2.41", ""),
    ("discharge_instructions",),
    ("Instruction", "When"),
    lambda fact: (row_title(fact), when(fact)),
    lambda _page, _facts: (),
)
NOTES = Section(
    "34109-9",
    "Notes",
    template(f"{OID}.2.65", "2016-11-01"),
    ("notes",),
    ("Note", "Author", "When"),
    lambda fact: (row_title(fact), fact.text("author"), when(fact)),
    _each(cared.note),
)


def notes(chart: Chart) -> list[Section]:
    """A Notes Section for each kind of note in the chart; a general one where there is none."""
    kinds = {code.code: code for fact in chart.of("notes") if (code := fact.code())}
    return [_notes_of(code) for code in kinds.values()] or [NOTES]


def _notes_of(kind: Code) -> Section:
    def is_of_kind(fact: Fact) -> bool:
        return (found := fact.code()) is not None and found.code == kind.code

    return replace(NOTES, loinc=kind.code, title=kind.display or NOTES.title, keep=is_of_kind)
