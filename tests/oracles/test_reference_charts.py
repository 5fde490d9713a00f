"""The reference EHR's chart reader on real documents that are not ours."""

import time
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from onc_conformance.reference import ReferenceEHR, slices, stored
from onc_conformance.reference.people import HEADER, SECTIONS

DOCUMENTS = Path(__file__).parents[3] / "shared" / "corpus" / "documents"
YEAR = (date(2015, 1, 1), date(2015, 12, 31))


@pytest.fixture(scope="module")
def loaded():
    assert DOCUMENTS.is_dir(), f"{DOCUMENTS} is not there"
    started = time.perf_counter()
    persons, notes = stored.load(DOCUMENTS)
    assert time.perf_counter() - started < 5
    return persons, notes


def test_every_file_is_in_a_chart_or_skipped_with_a_reason(loaded):
    persons, notes = loaded
    files = {path.name for path in DOCUMENTS.glob("*.xml")}
    held = [document.key for person in persons for document in person.documents]
    skipped = [note.removeprefix("skipped ").split(": ")[0] for note in notes]
    assert sorted([*held, *skipped]) == sorted(files)
    assert len(held) > 100


def test_each_chart_answers_every_category_and_window(loaded):
    for person in loaded[0]:
        for category in (*HEADER, *SECTIONS):
            for window in (None, YEAR):
                assert etree.fromstring(person.fragment(category, window, None)).tag.startswith(f"{{{slices.V3}}}")
        assert etree.fromstring(person.excerpt(["problems", "sex"], YEAR)).tag == f"{{{slices.V3}}}ClinicalDocument"


def test_narrowing_leaves_no_entry_that_lies_wholly_outside(loaded):
    removed = 0
    for person in loaded[0]:
        for document in person.documents:
            whole = slices.parse(person.stored(document.key, None))
            narrowed = slices.parse(person.stored(document.key, YEAR))
            entries = list(narrowed.iter(f"{{{slices.V3}}}entry"))
            removed += sum(1 for _ in whole.iter(f"{{{slices.V3}}}entry")) - len(entries)
            for entry in entries:
                times = [slices.interval(one) for one in entry.iter(f"{{{slices.V3}}}effectiveTime")]
                stated = [one for one in times if one]
                assert not stated or any(slices.overlaps(one, YEAR) for one in stated), document.key
    assert removed > 100


def test_it_serves_them_all():
    with ReferenceEHR(charts=DOCUMENTS) as ehr:
        assert ehr.patients_toml.count("[[patient]]") > 20
        assert any("not a C-CDA" in note for note in ehr.notes)
