"""The records of ONC's (g)(9) test patients against the text of ONC's own sheets: nothing of ours, nothing left out."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from onc_conformance import moments, record, suite

SHEETS = Path(__file__).parents[3] / "shared" / "testdata" / "uscdi-v3"
RECORDS = suite.schemas() / "patients" / "onc-uscdi-v3"
PATIENTS = {
    "alice-newman": "amb_svap_uscdiv3_sample1",
    "jeremy-bates": "amb_svap_uscdiv3_sample2",
    "rebecca-larson": "inp_svap_uscdiv3_sample1",
    "john-wright": "inp_svap_uscdiv3_sample2",
}
# Codes a record needs and a sheet says in words, or prints wrong: the word or the misprint it stands for.
SAID_IN_WORDS = {
    "416098002": "Penicillin G",  # what kind of allergy it is follows from the substance
    "6736007": "Moderate",
    "UNK": "Unknown",
    "GRPRN": "(Grand",
    "SPS": "(Spouse)",
    "28570-0": "Procedure Note:",
    "11502-2": "Laboratory Narrative:",
    "11506-3": "Progress Note Narrative:",
    "34117-2": "History and Physical Note:",
    "18842-5": "Discharge Summary Note:",
    "88123-5": "881233-5",
}
SAID_IN_WORDS_INPATIENT = {"386661006": "Fever"}
# Codes of a sheet that a record has no place for, and why.
NOT_IN_A_RECORD = {
    "248152002": "the sex itself",
    "248153007": "the sex itself",
    "164139008": "optional: the event of the header",
    "386661006": "optional: the event of the header",
    "699134002": "optional: the event of the header",
    "423123007": "optional: the event of the header",
    "75310-3": "the code of every health concern",
}
PHONE = re.compile(r"\b555-\d{3}-\d{4}\b|\(555\)555-1515")
OIDS = re.compile(r"\b[0-2](?:\.\d+){4,}\b")
DATE = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{4,5})\b")
NOT_CODES = re.compile(r"(?<![\d.])\b(?:170\.315|97006|97266|1357|2472|3525|1002|2015|101\.5)\b|\b45 CFR\b|CCDA?|R2\.1")
CODES = re.compile(
    r"(?<![\d.])(?:\d{6,18}|\d{1,6}-\d(?!\d)|LA\d+-\d|[A-Z]\d{2}\.\d|\d{5}(?=\s|$)|\d{2}-\d{4}\.\d{2}\.\d{6}|\d{6}\.\d{6})"
)


def _text(name):
    """The words of a sheet without its introduction."""
    if shutil.which("pdftotext"):
        [path] = SHEETS.glob(f"170.315_g9_*{PATIENTS[name]}_v1.pdf")
        done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, text=True)
        said = done.stdout
    else:
        pypdf = pytest.importorskip("pypdf", reason="neither pdftotext nor pypdf is here to read ONC's sheets")
        [path] = SHEETS.glob(f"170.315_g9_*{PATIENTS[name]}_v1.pdf")
        said = "\n".join(page.extract_text(extraction_mode="layout") for page in pypdf.PdfReader(path).pages)
    return said[said.index("HEADER DATA") :]


@pytest.fixture(scope="module", params=PATIENTS)
def sheet(request):
    return request.param, _text(request.param), record.load(RECORDS / f"{request.param}.toml")[0]


def _codes(value):
    """Every code under a value of a record."""
    if isinstance(value, dict):
        if "system" in value and "code" in value:
            yield value["code"]
        else:
            for each in value.values():
                yield from _codes(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _codes(each)


def _all_codes(patient):
    codes = {code.code for code in (*patient.race, *([patient.ethnicity] if patient.ethnicity else ()))}
    for fact in patient.facts:
        codes |= {code.code for code in fact.codes} | set(_codes(dict(fact.attributes)))
    return codes


def _is_printed(code, text):
    """Whether a code stands in the sheet, whole or broken over the lines of its cell."""
    if re.search(rf"(?<![\w.-]){re.escape(code)}(?!\w|-\w)", text):
        return True
    return any(
        re.search(
            rf"(?<![\w.-]){re.escape(code[:cut])}-?(?=\s).{{0,700}}?(?<![\w.-]){re.escape(code[cut:])}(?=[\s:,)]|$)",
            text,
            re.DOTALL,
        )
        for cut in range(4, len(code))
    )


def test_every_code_of_a_record_is_on_the_sheet(sheet):
    name, text, patient = sheet
    absent = {code for code in _all_codes(patient) if not _is_printed(code, text)}
    explained = {code for code in absent if SAID_IN_WORDS.get(code) and SAID_IN_WORDS[code] in text}
    if name == "rebecca-larson":  # the indication is called by its name
        explained |= {code for code in absent if SAID_IN_WORDS_INPATIENT.get(code, "-") in text}
    assert absent - explained == set()


def test_every_date_of_a_record_is_on_the_sheet(sheet):
    _, text, patient = sheet
    printed = {(int(year[:2] + year[-2:]), int(month), int(day)) for month, day, year in DATE.findall(text)}
    dates = {days.first for fact in patient.facts for days in fact.stated}
    for fact in patient.facts:
        said = [fact.attributes.get(key) for key in ("diagnosed", "due")]
        said.append((fact.attributes.get("provenance") or {}).get("time"))
        dates |= {moments.iso(each).first for each in said if each}
    dates.add(moments.iso(patient.birth_date).first)
    assert {day for day in dates if (day.year, day.month, day.day) not in printed} == set()


def test_every_date_of_a_sheet_is_in_the_record(sheet):
    name, text, _ = sheet
    text_of_record = (RECORDS / f"{name}.toml").read_text(encoding="utf-8")
    printed = {f"{year[:2]}{year[-2:]}-{int(month):02}-{int(day):02}" for month, day, year in DATE.findall(text)}
    assert {day for day in printed if day not in text_of_record} == set()


def test_every_code_of_a_sheet_is_in_the_record(sheet):
    name, text, patient = sheet
    text_of_record = (RECORDS / f"{name}.toml").read_text(encoding="utf-8")
    known = _all_codes(patient) | set(NOT_IN_A_RECORD)
    cleaned = OIDS.sub(" ", PHONE.sub(" ", DATE.sub(" ", NOT_CODES.sub(" ", text))))
    printed = {code for code in CODES.findall(cleaned) if code not in text_of_record}
    # a code broken over lines leaves its beginning
    left = {code for code in printed - known if not any(each.startswith(code) for each in known)}
    assert left == set()


def test_every_value_of_the_vital_signs_and_results_is_on_the_sheet(sheet):
    _, text, patient = sheet
    for fact in patient.of("vital_signs", "laboratory_results"):
        value = fact.attributes.get("value")
        if isinstance(value, (int, float)):
            assert re.search(rf"(?<![\d.]){re.escape(f'{value:g}')}(?:\.0)?(?!\d)", text), fact
        elif value is not None:
            assert value in text, fact


def test_who_the_patient_is_is_on_the_sheet(sheet):
    _, text, patient = sheet
    [address] = patient.address
    for said in (*patient.name.given, patient.name.family, *address["line"], address["city"], address["postal_code"]):
        assert said in text
    assert all(telecom["value"] in text for telecom in patient.telecom)
    assert all(given in text for name in patient.previous_names for given in name.given)


def test_what_is_not_known_is_said(sheet):
    """Both healthy men have sheets full of nothing: each class of it is told."""
    name, text, patient = sheet
    told = len(
        re.findall(r"(?i)\bno (?:known|lab|information|procedure|implanted|immunization)", text.split("BODY DATA")[1])
    )
    none = [fact for fact in patient.facts if fact.no_information]
    assert bool(none) == (name in {"jeremy-bates", "john-wright"})
    assert len(none) >= told - 2 or not none  # tests and results are one class
