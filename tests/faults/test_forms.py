"""Every fault of form is found by the layer it is meant for, where it was made; without it no layer has an error."""

import pytest

from onc_conformance import judging, suite
from onc_conformance.findings import Severity
from onc_conformance.reference import ccd, charts, misshapen

EDITIONS = {"document": "uscdi-v3", "category": "ccds-2015"}


@pytest.fixture(scope="module")
def chart():
    return charts.load([suite.schemas() / "patients" / "tiny.toml"])[0]


def errors(chart, where, faults=frozenset()):
    if where == "document":
        data = ccd.document(chart, document_id="d0", faults=faults)
    else:
        data = ccd.fragment(chart, "laboratory_results", faults=faults)
    layers = {"schema", "templates", "vocabulary", "uscdi"}
    found = judging.of_layers(judging.read(data), layers, EDITIONS[where])
    return [each for each in found if each.severity is Severity.ERROR]


@pytest.mark.parametrize("where", EDITIONS)
def test_without_a_fault_there_is_no_error(chart, where):
    assert errors(chart, where) == []


@pytest.mark.parametrize("fault", misshapen.forms())
def test_the_layer_meant_finds_it(chart, fault):
    form = misshapen.forms()[fault]
    found = errors(chart, form["where"], {fault})
    assert str(form["layer"]) in {each.layer for each in found}, [str(each) for each in found]
    assert all(each.path and each.line for each in found)
