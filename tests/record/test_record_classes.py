"""The classes and keys of facts are data, and documented."""

from __future__ import annotations

import re

import pytest

from onc_conformance import record, suite, uscdi
from onc_conformance.ccda.kinds import table
from onc_conformance.record import form
from onc_conformance.record.classes import classes, keys, questions

DOCUMENTED = (suite.root() / "docs" / "records.md").read_text(encoding="utf-8")


def test_every_key_of_a_class_is_described_and_used():
    used = {name for each in classes().values() for name in each.keys}
    assert used == set(keys())
    assert all(each.named_by <= set(each.keys) for each in classes().values())


@pytest.mark.parametrize("name", list(classes()))
def test_every_class_can_be_judged_named_and_read(name):
    assert uscdi.title(name)
    assert name in table().of
    assert f"| `{name}` |" in DOCUMENTED
    assert all(f"| `{name}` | `{kind}` |" in DOCUMENTED for kind in classes()[name].kinds)


def test_every_key_is_documented():
    assert all(f"| `{name}` |" in DOCUMENTED for name in keys())
    said = set(re.findall(r"`(\w+)`", DOCUMENTED))
    assert set(form.FactForm.model_fields) <= said
    assert set(form.PersonOfRecordForm.model_fields) <= said


def test_the_worked_example_is_a_patients_file(tmp_path):
    [example] = re.findall(r"```toml\n(.*?)```", DOCUMENTED, re.DOTALL)
    path = tmp_path / "example.toml"
    path.write_text(example, encoding="utf-8")
    [ida] = record.load(path)
    assert len(ida.facts) == 8
    assert [fact.kind for fact in ida.facts if fact.required] == [
        "problems",
        "medications",
        "laboratory_results",
        "encounters",
        "notes",
    ]


def test_a_question_has_one_kind():
    assert questions()["social_history", "11341-5"] == "occupation"
    assert len(questions()) == sum(bool(kind.question) for each in classes().values() for kind in each.kinds.values())


def test_the_first_kind_is_meant_where_one_is_needed():
    assert classes()["assessment_plan"].default_kind == "assessment"
    assert classes()["social_history"].default_kind is None
