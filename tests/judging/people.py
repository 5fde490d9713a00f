"""Two small patients, their documents by the reference EHR, and what tests of the judges ask of them."""

from __future__ import annotations

from datetime import date

from onc_conformance import judging, record
from onc_conformance.findings import Severity
from onc_conformance.moments import Days
from onc_conformance.reference import ccd, charts

FILTER = dict.fromkeys(record.KINDS, "filter")
WINDOW = Days(date(2015, 1, 1), date(2015, 12, 31))

PATIENT = """
[[patient]]
id = "{id}"
name = {{ family = "{family}", given = ["Ann", "Bea"] }}
birth_date = "{born}"
sex = "female"
race = [{{ code = "2106-3", display = "White" }}]
ethnicity = {{ code = "2186-5", display = "Not Hispanic or Latino" }}
language = "en"
{facts}
"""
FACTS = """
[[patient.encounters]]
id = "visit"
code = { system = "cpt", code = "99213", display = "Office visit" }
start = "2015-06-22"
end = "2015-06-22"
[[patient.problems]]
code = { system = "snomed", code = "59621000", display = "Hypertension" }
start = "2011-10-05"
status = "active"
[[patient.medications]]
code = { system = "rxnorm", code = "309090", display = "Ceftriaxone" }
start = "2015-06-22"
end = "2015-06-30"
status = "completed"
[[patient.vital_signs]]
code = { system = "loinc", code = "8302-2", display = "Height" }
value = 177
unit = "cm"
date = "2015-06-22"
encounter = "visit"
[[patient.vital_signs]]
code = { system = "loinc", code = "8302-2", display = "Height" }
value = 176
unit = "cm"
date = "2014-06-22"
[[patient.laboratory_results]]
code = { system = "loinc", code = "5792-7", display = "Glucose" }
value = 50
unit = "mg/dL"
date = "2015-06"
[[patient.goals]]
text = "Get rid of intermittent fever"
date = "2015-06-22"
[[patient.smoking_status]]
code = { system = "snomed", code = "449868002", display = "Current every day smoker" }
date = "2015-06-22"
"""
OTHER = """
[[patient.problems]]
code = { system = "snomed", code = "40930008", display = "Hypothyroidism" }
start = "2006-12-31"
[[patient.vital_signs]]
code = { system = "loinc", code = "29463-7", display = "Weight" }
value = 88
unit = "kg"
date = "2015-06-22"
[[patient.goals]]
text = "Run a marathon before the winter"
date = "2015-06-22"
"""


class People:
    def __init__(self, folder):
        self.folder = folder
        self.records = self.load(self.text())
        self.ann, self.zoe = self.records

    @staticmethod
    def text(facts=FACTS, other=OTHER, family="Lee", born="1970-05-01"):
        ann = PATIENT.format(id="ann", family=family, born=born, facts=facts)
        return ann + PATIENT.format(id="zoe", family="Ray", born="1980-01-01", facts=other)

    def load(self, text):
        path = self.folder / "patients.toml"
        path.write_text(text, encoding="utf-8")
        return record.load(path)

    def charts(self, **what):
        path = self.folder / "charted.toml"
        path.write_text(self.text(**what), encoding="utf-8")
        return charts.load([path])

    def document(self, number=0, exchange=None, **what):
        return judging.read(ccd.document(self.charts(**what)[number], document_id="1"), exchange)

    def fragment(self, category, **what):
        return judging.read(ccd.fragment(self.charts(**what)[0], category))


def errors(findings):
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def only(*marks):
    """Of the facts those tables that have one of these words."""
    tables = FACTS.split("[[")[1:]
    return "[[".join(["", *(table for table in tables if any(mark in table for mark in marks))])


def without(text, start):
    """The patients file without the one table that has this line."""
    tables = text.split("[[")
    return "[[".join(table for table in tables if start not in table)
