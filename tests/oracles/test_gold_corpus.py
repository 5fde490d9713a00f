"""Records taken from documents and bundles that are not ours: each holds against the source it was taken from."""

from collections import Counter
from pathlib import Path

import pytest

from onc_conformance import judging, record
from onc_conformance.findings import Severity, UsageError
from onc_conformance.judging import gold
from onc_conformance.record import writing

SHARED = Path(__file__).parents[3] / "shared"
DOCUMENTS = sorted((SHARED / "corpus" / "documents").iterdir())
BUNDLE = SHARED / "fhir" / "us-core-patient-85.bundle.json"
# What a document objects to in itself: a table that denies what its entries say, a problem that ends before it begins,
# an attribute in no namespace
OF_ITS_OWN = {"NARRATIVE-CONTRADICTS", "XML-NAMESPACE"}
# No C-CDA, or of nobody: empty documents, a snippet, headers without a name
NO_GOLD = 8


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name[:10])
def test_a_document_agrees_with_the_record_taken_from_it(path, tmp_path):
    try:
        [taken] = gold.load(path)
    except UsageError as refusal:
        assert str(refusal).startswith(f"{path}")
        assert "\n" not in str(refusal)
        return
    doc = judging.read(path.read_bytes())
    found = judging.content([doc], taken)
    assert {each.rule for each in found if each.severity is Severity.ERROR} <= OF_ITS_OWN
    [converted] = gold.as_patients_files([path], tmp_path)
    assert record.load(converted)[0].facts == taken.facts


def test_few_documents_cannot_be_gold():
    refused = 0
    for path in DOCUMENTS:
        try:
            gold.load(path)
        except UsageError:
            refused += 1
    assert refused == NO_GOLD


def test_a_bundle_is_a_record(tmp_path):
    [lucien] = gold.load(BUNDLE)
    assert (lucien.id, lucien.birth_date, lucien.sex) == ("lucien408-bosco882", "1940-03-29", "male")
    counted = Counter(fact.kind for fact in lucien.facts)
    # resources of the bundle by class; two reports are superseded notes, repeats of one day are one
    assert counted["encounters"] == 60
    assert counted["immunizations"] == counted["procedures"] == 20
    assert counted["medications"] == counted["problems"] == 13
    assert {"smoking_status", "notes", "vital_signs", "care_team", "coverage", "laboratory_results"} <= set(counted)
    written = tmp_path / "written.toml"
    written.write_text(writing.toml([gold.table(BUNDLE)]), encoding="utf-8")
    assert record.load(written)[0].facts == lucien.facts


def test_the_own_document_of_a_sheet_is_another_patients():
    madison = SHARED / "testdata" / "uscdi-v3" / "170.315_b1_toc_amb_ccd_r21_svap_uscdiv3_sample1_v1.xml"
    [taken] = gold.load(madison)
    assert taken.name.family == "Madison"
    assert len(taken.facts) > 60
