"""The names under which EHR Your Way answers single categories."""

from __future__ import annotations

NAMES = {
    "Patient Name": "patient_name",
    "Sex": "sex",
    "Date of Birth": "birth_date",
    "Race": "race",
    "Ethnicity": "ethnicity",
    "Preferred Language": "preferred_language",
    "Smoking Status": "smoking_status",
    "Problems": "problems",
    "Medications": "medications",
    "Medication Allergies": "medication_allergies",
    "Laboratory Tests": "laboratory_tests",
    "Laboratory Values/Results": "laboratory_results",
    "Vital Signs": "vital_signs",
    "Procedures": "procedures",
    "Care Team Member(s)": "care_team",
    "Immunizations": "immunizations",
    "Implantable Device(s)": "udi",
    "Assessment": "assessment",
    "Plan of Treatment": "plan",
    "Assessment and Plan of Treatment": "assessment_plan",
    "Goals": "goals",
    "Health Concerns": "health_concerns",
    "Encounters": "encounters",
    "Reason For Visit": "reason_for_visit",
    "Refer to Consultant(s)": "referrals",
    "Functional Status": "functional_status",
    "Cognitive Status": "mental_status",
    "History And Physical Exam": "history_and_physical",
    "Procedure Note": "procedure_note",
    "Progress Note": "progress_note",
    "Laboratory Report Narrative": "laboratory_narrative",
    "Consultation Note": "consultation_note",
    "Discharge Summary Note": "discharge_summary_note",
    "Imaging Narrative": "imaging_narrative",
    "Pathology Report Narrative": "pathology_narrative",
}
"""What the documentation lists, by the category it stands for."""

_ALIASES = {
    "Laboratory Value(s)/Result(s)": "laboratory_results",
    "Laboratory Results": "laboratory_results",
    "Lab Results": "laboratory_results",
    "Lab Values/Results": "laboratory_results",
    "Laboratory Test(s)": "laboratory_tests",
    "Lab Tests": "laboratory_tests",
    "Unique Device Identifier(s) for a Patient's Implantable Device(s)": "udi",
    "Implantable Devices": "udi",
    "Care Team Members": "care_team",
    "Assessment/Plan of Treatment": "assessment_plan",
}
"""Other spellings of ONC's and of sibling products."""


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold().replace("(s)", "s") if letter.isalnum())


_BY_PLAIN_NAME = {_plain(name): category for name, category in (_ALIASES | NAMES).items()}


def named(name: str) -> str | None:
    """The category a name stands for, its case and punctuation aside."""
    return _BY_PLAIN_NAME.get(_plain(name))
