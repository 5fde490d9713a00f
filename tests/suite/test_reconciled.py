"""The document and the resources of a patient told apart through the expected record, whichever of them says less."""

import dataclasses
import re

import pytest

from onc_conformance import cli, running

NAME = "The document and the resources tell the same facts"


def warnings(*options):
    asked = ["run", "--criterion", "g10", "--patients", "tiny", "--target", "reference:fhir", "--tags", "beyond"]
    parsed = cli.parser().parse_args([*asked, *options])
    finished = running.run(dataclasses.replace(cli.run_options(parsed), reports=None))
    [scenario] = [
        scenario
        for step in finished.settlement.steps
        for target in step.targets
        for scenario in target.scenarios
        if scenario.name == NAME
    ]
    assert scenario.outcome == "passed"
    return scenario.findings


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("fhir-conditions-empty", r"problems: exchange \d+ tells it in a document, and no resource does"),
        ("fact-dropped", r".*: \w+: \w+/\d+ of exchange \d+ tells it, and the document does not"),
    ],
)
def test_what_one_of_them_leaves_out_names_both_exchanges(fault, said):
    told = warnings("--fault", fault)
    assert told
    for each in told:
        assert each.severity == "warning"
        assert re.fullmatch(said, each.message), each.message
        assert each.exchange
        assert each.exchange not in each.message.split("exchange ")[1].split()


def test_who_tells_the_same_twice_is_not_objected_to():
    assert warnings() == ()
