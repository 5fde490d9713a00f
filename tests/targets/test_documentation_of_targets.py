"""docs/targets.md: its worked example runs as it is printed, and nothing of the vocabulary is left out."""

import re
from typing import get_args

import pytest
from tests.targets.emulations.lumen import Lumen
from tests.targets.test_emulations import outcomes, red

from onc_conformance import suite
from onc_conformance.targets import logins, models, onward, population, scope, smart, steps, templates, terms

PAGE = (suite.root() / "docs" / "targets.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)
CODE = set(re.findall(r"[\w.:%/-]+", " ".join(re.findall(r"`([^`]+)`", PROSE))))

HEADINGS = set(re.findall(r"\w+", " ".join(re.findall(r"^### (.*)$", PAGE, re.MULTILINE))))


@pytest.fixture
def described(tmp_path):
    """The description printed in the documentation, in a file of its own."""
    (text,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    path = tmp_path / "lumen.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_worked_example_passes_on_its_vendor(described, tmp_path, monkeypatch):
    found = outcomes(Lumen, tmp_path, monkeypatch, description=described)
    assert {step: said for step, said in found.items() if said[0] != "passed"} == {}
    assert {step.split("-")[0] for step in found} == {"G7", "G9"}


def test_the_worked_example_finds_a_defect(described, tmp_path, monkeypatch):
    found = outcomes(Lumen, tmp_path, monkeypatch, "dates-ignored", description=described)
    assert red(found) == {"G9-IB-TLV-1", "G9-IB-TLV-2"}


def test_the_worked_example_notices_keys_that_are_not_checked(described, tmp_path, monkeypatch):
    found = outcomes(Lumen, tmp_path, monkeypatch, "token-not-checked", description=described)
    assert red(found) == {"G7-I-TLV-2", "G9-IA-TLV-1"}


def keys(model):
    return {info.alias or name for name, info in model.model_fields.items()}


TABLES = {
    each.__name__: each
    for module in (models, steps, logins, onward, population, smart)
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, terms.Table)
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_key_is_documented(table):
    written = {part for word in CODE for part in re.split(r"[.:]", word)}
    assert keys(table) - written - {"step", *HEADINGS} == set()


@pytest.mark.parametrize(
    "words",
    [
        templates.FILTERS,
        [*steps.DECODINGS, "zip:GLOB", "xml_child:NAME"],
        get_args(terms.Category),
        get_args(terms.ErrorClass),
        get_args(terms.Policy),
        get_args(logins.AuthStep.model_fields["kind"].annotation),
        get_args(smart.Capability),
        get_args(smart.SmartVersion),
        get_args(smart.SmartLogin.model_fields["kind"].annotation),
        smart.LAUNCH_NAMES,
        get_args(models.Selection.model_fields["kind"].annotation),
        get_args(models.Dates.model_fields["style"].annotation),
        get_args(onward.Paginate.model_fields["next"].annotation),
        get_args(steps.Extraction.model_fields["from_"].annotation),
    ],
    ids=[
        "filters",
        "decode",
        "categories",
        "errors",
        "policies",
        "kinds",
        "capabilities",
        "smart",
        "logins",
        "launch",
        "selection",
        "styles",
        "next",
        "from",
    ],
)
def test_every_word_is_documented(words):
    written = CODE | {word.partition(":")[0] for word in CODE}
    assert {word for word in words if word not in written} == set()


def test_every_attribute_of_a_patient_is_documented():
    assert all(f".{name}`" in PAGE for name in scope.PATIENT)
