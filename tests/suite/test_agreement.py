"""What a FHIR server and a document of the same patient tell differently, in the words of the report."""

import dataclasses
import re

import pytest

from onc_conformance import cli, running
from onc_conformance.findings import Severity

ARGUMENTS = ["run", "--target", "reference:fhir", "--criterion", "g9", "--tags", "G9-IA-TLV-2", "--patients"]


def told(*arguments):
    """The errors, and the exchanges by id."""
    options = cli.run_options(cli.parser().parse_args([*ARGUMENTS, *arguments]))
    run = running.run(dataclasses.replace(options, reports=None)).run
    found = [each for result in run.results for each in result.findings if each.severity is Severity.ERROR]
    return found, {each.id: each for each in run.exchanges}


@pytest.mark.parametrize("patients", ["edges", "onc-uscdi-v3"])
def test_what_is_told_alike_is_let_pass(patients):
    assert told(patients)[0] == []


@pytest.mark.parametrize(
    ("fault", "patients", "said", "type_", "expected", "found"),
    [
        ("fhir-alone-dose", "details", "the dose of", "MedicationRequest", "8 [iU]", "16 [iU]"),
        ("fhir-alone-vaccine", "tiny", "told by FHIR", "Immunization", "nothing", "cholera"),
        ("fhir-alone-left-out", "tiny", "not by FHIR", "Immunization", "Influenza", "no resource"),
    ],
)
def test_a_difference_names_both_exchanges(fault, patients, said, type_, expected, found):
    errors, exchanges = told(patients, "--fault", fault)
    error = next(each for each in errors if expected in each.expected and found in each.found)
    named = {exchanges[each].url.partition("/fhir/")[2] for each in re.findall(r"exchange (\d+)", error.message)}
    assert said in error.message
    assert {re.split(r"[/?]", each)[0] for each in named} == {"Binary", type_}
    assert f"/{type_}?" in exchanges[error.exchange].url
