"""Lints on the feature files: what pytest-bdd would lose or let pass in silence."""

import ast

import pytest
from gherkin.parser import Parser

from onc_conformance import procedure, suite
from onc_conformance.fhir import tables
from onc_conformance.fhirwork import demands
from onc_conformance.matrix import rows, scenarios_by_step, types_by_step
from onc_conformance.plugin import KINDS

FEATURES = sorted((suite.root() / "features").rglob("*.feature"))


def scenarios(path):
    feature = Parser().parse(path.read_text(encoding="utf-8"))["feature"]
    own = [tag["name"][1:] for tag in feature["tags"]]
    for child in feature["children"]:
        if "scenario" in child:
            scenario = child["scenario"]
            yield feature, scenario, [*own, *(tag["name"][1:] for tag in scenario["tags"])]


@pytest.mark.parametrize("path", FEATURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_scenario_names_are_unique_within_a_feature(path):
    names = [scenario["name"] for _, scenario, _ in scenarios(path)]
    assert len(names) == len(set(names)), "pytest-bdd drops the first of two scenarios with one name"


@pytest.mark.parametrize("path", FEATURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_tag_is_a_step_a_criterion_or_a_kind(path):
    known = {*procedure.load().steps, *procedure.load().criteria, *KINDS}
    for _, scenario, tags in scenarios(path):
        assert set(tags) <= known, scenario["name"]
        steps = [tag for tag in tags if tag in procedure.load().steps]
        assert steps, scenario["name"]
        criteria = {procedure.load().steps[step].criterion for step in steps}
        assert criteria == {tag for tag in tags if tag in procedure.load().criteria}, scenario["name"]


@pytest.mark.parametrize("path", FEATURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_feature_says_which_paragraph_it_mirrors(path):
    for feature, _, _ in scenarios(path):
        assert "45 CFR 170.315(g)(" in feature["description"]


def test_every_step_has_a_scenario_or_an_attestation():
    covered = scenarios_by_step()
    bare = {step.id for step in procedure.load().steps.values() if step.coverage != "attested" and not covered[step.id]}
    assert bare == set()


def test_every_machine_step_has_a_scenario_that_is_not_beyond_it():
    stated = {tag for path in FEATURES for _, _, tags in scenarios(path) if "beyond" not in tags for tag in tags}
    machine = {step.id for step in procedure.load().steps.values() if step.coverage != "attested"}
    assert machine <= stated


@pytest.mark.parametrize("version", sorted({each.us_core for each in procedure.editions().values()}))
def test_every_type_that_us_core_demands_has_its_rows(version):
    guide, types = tables.load(version), types_by_step()
    for step, asked in demands.OF_STEPS.items():
        wanted = {kind for kind in guide.searches if asked(guide, kind)}
        if step == "SH-PAT-2":
            wanted = {kind for kind in wanted if demands.by_patient(guide, kind)}
        # Provenance has a step of its own; nobody has to show a QuestionnaireResponse
        assert wanted - {"Provenance", "QuestionnaireResponse"} <= set(types[step])
        told = {row["id"]: row["us_core"] for row in rows()}
        assert set(told[step][version]) == {kind for kind in types[step] if asked(guide, kind)} != set()


def test_the_matrix_says_by_which_versions_each_step_of_the_standardized_api_is_judged():
    told = {row["id"]: row for row in rows() if row["criterion"] == "g10"}
    assert len(told) == 77
    by_no_version = {step for step, row in told.items() if not (row["us_core"] or row["smart"] or row["bulk"])}
    assert by_no_version == {"APP-REG-1", "APP-REG-2", "API-DOC-1", "API-DOC-2", "API-DOC-3"}
    assert told["AUT-PAT-3"]["smart"] == ["1.0.0", "2.0.0", "2.2.0"]
    assert told["AUT-PAT-5"]["smart"] == ["1.0.0"]
    assert told["AUT-PAT-24"]["smart"] == ["2.0.0", "2.2.0"]
    assert told["SH-PAT-5"]["bulk"] == told["AUT-SYS-3"]["bulk"] == ["1.0.1", "2.0.0"]


def test_no_step_is_asynchronous():
    for path in (suite.root() / "steps").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)], (
            f"{path.name}: pytest-bdd passes an async step without running it"
        )
