"""Patients files written load again as what they were."""

from __future__ import annotations

import pytest

from onc_conformance import moments, record, suite
from onc_conformance.record import writing

FILES = sorted((suite.schemas() / "patients").rglob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_written_loads_as_what_was_read(path, tmp_path):
    written = tmp_path / "written.toml"
    written.write_text(writing.toml(record.raw(path), ["From a file.", ""]), encoding="utf-8")
    assert written.read_text(encoding="utf-8").startswith("# From a file.\n#\n\n[[patient]]\nid = ")
    assert record.load(written) == record.load(path)


def test_odd_letters_survive(tmp_path):
    who = {"id": "x", "name": {"family": 'O"N\\eil\x7f', "given": ["Zoë\t"]}, "birth_date": "1970", "sex": "female"}
    written = tmp_path / "odd.toml"
    written.write_text(writing.toml([who | {"vars": {"A.B": "c"}, "race": [], "language": None}]), encoding="utf-8")
    [read] = record.load(written)
    assert read.name.family == 'O"N\\eil\x7f'
    assert read.vars == {"A.B": "c"}


@pytest.mark.parametrize(
    "text", ["2011", "2012-02", "2011-10-05", "2011-10-05T23:30:00-05:00", "2011-10-05T23:30+00:00"]
)
def test_days_are_written_as_precise_as_they_are(text):
    assert moments.written(moments.iso(text)) == text


def test_days_that_no_date_names_are_not_written():
    first, last = moments.iso("2011-10-05"), moments.iso("2011-10-07")
    assert moments.written(moments.Days(first.first, last.last)) == ""
    assert moments.written(moments.Days(first.first, None)) == ""
    assert moments.written(moments.iso("2011-10-05T23:30:00")) == "2011-10-05"
