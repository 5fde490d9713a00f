"""HL7's own examples of US Core, and a patient of Inferno's reference server: what the judge says, and why."""

import json
import tarfile
from functools import cache
from pathlib import Path

import pytest

from onc_conformance import fhir
from onc_conformance.fhir import imports
from onc_conformance.findings import Severity

SHARED = Path(__file__).parents[2].parent / "shared"
PACKAGES = {
    version: SHARED / "standards" / "us-core" / f"us_core_{version.replace('.', '')}.tgz"
    for version in ("3.1.1", "6.1.0", "7.0.0", "8.0.0")
}
PATIENT = SHARED / "fhir" / "us-core-patient-85.bundle.json"

WRONG = {
    ("3.1.1", "DiagnosticReport-cardiology-report.json"): {
        "FHIR-FORMAT": "presentedForm.hash is cut short with dots and no base64",
    },
    ("3.1.1", "Encounter-1036.json"): {
        "us-core-encounter#Encounter.type": "it has no type, which the profile it names requires",
    },
    ("3.1.1", "Observation-usg.json"): {
        "FHIR-CODE": "the annotation {urine specific gravity} has blanks, which UCUM does not allow",
    },
}
"""Examples that are themselves wrong: the rules they break, and how."""

ADVICE = {
    ("3.1.1", "Bundle-66c8856b-ba11-4876-8aa8-467aad8c11a2.json"): {
        "us-core-practitionerrole#PractitionerRole.code": "a code of clinics, and not of those who work there",
    },
    ("3.1.1", "DocumentReference-episode-summary.json"): {
        "us-core-documentreference#DocumentReference.content.format": "HL7's code in the system of an OID of IHE's",
    },
    ("8.0.0", "Location-hl7east.json"): {
        "FHIR-BINDING": "a type of NHSN's, where FHIR's extensible set and not the profile's is asked for",
    },
}
"""Examples that draw warnings: by which rules, and why they do."""

OF_THE_PATIENT = {
    "3.1.1": {
        "us-core-careteam#CareTeam.participant.member": (1, "3.1.1 knows no related person in a care team"),
    },
    "6.1.0": {},
    "7.0.0": {},
    "8.0.0": {},
}
"""Errors in the 267 resources, by version: how many, and why."""

LATER = {"3.1.1": 0, "6.1.0": 6, "7.0.0": 1, "8.0.0": 0}
"""Warnings of categories that US Core's own code system, where a version has it, has from a later version on."""


@cache
def examples(version):
    found = {}
    with tarfile.open(PACKAGES[version]) as archive:
        for member in archive:
            if member.name.startswith("package/example/") and member.name.endswith(".json"):
                told = json.load(archive.extractfile(member))
                if "resourceType" in told:
                    found[member.name.rpartition("/")[2]] = told
    return found


def errors(findings):
    return {each.rule for each in findings if each.severity is Severity.ERROR}


@pytest.mark.parametrize("version", PACKAGES)
def test_only_the_examples_that_are_wrong_are_objected_to(version):
    guide = fhir.load(version)
    assert len(examples(version)) >= 84
    told = {name: errors(fhir.validate(each, guide)) for name, each in examples(version).items()}
    assert {name: rules for name, rules in told.items() if rules} == {
        name: set(rules) for (of, name), rules in WRONG.items() if of == version
    }


SMOKING = "us-core-smokingstatus"
UNNAMED = {
    "7.0.0": {"us-core-simple-observation": SMOKING},
    "8.0.0": {"us-core-simple-observation": SMOKING, "us-core-adi-documentreference": None},
}
"""By version, profiles that cannot be told from another, or from none: VSAC alone knows the codes of their kind."""


@pytest.mark.parametrize("version", PACKAGES)
def test_an_example_that_names_no_profile_is_judged_by_the_one_it_is_of(version):
    guide = fhir.load(version)
    for name, each in examples(version).items():
        meta = each.get("meta", {})
        named = [guide.profile(url) for url in meta.get("profile", ())]
        meant = {profile.id for profile in named if profile and profile.type == each["resourceType"]}
        if not meant:
            continue
        bare = {**each, "meta": {"versionId": "1", **{key: told for key, told in meta.items() if key != "profile"}}}
        found = {profile.id for profile in fhir.profiles(bare, guide)}
        lost = {UNNAMED.get(version, {}).get(one, "lost") for one in meant - found}
        assert lost <= {None, *found}, name
        assert errors(fhir.validate(bare, guide)) <= errors(fhir.validate(each, guide)), name


@pytest.mark.parametrize("version", PACKAGES)
def test_only_the_examples_that_stray_are_warned(version):
    guide = fhir.load(version)
    told = {
        name: {one.rule for one in fhir.validate(each, guide) if one.severity is Severity.WARNING}
        for name, each in examples(version).items()
    }
    assert {name: rules for name, rules in told.items() if rules} == {
        name: set(rules) for (of, name), rules in ADVICE.items() if of == version
    }


@pytest.mark.parametrize("version", PACKAGES)
def test_our_rules_and_the_guides_own_expressions_agree_on_its_examples(version, tmp_path, monkeypatch, capsys):
    ours = {name: fhir.validate(each, fhir.load(version)) for name, each in examples(version).items()}
    monkeypatch.setenv("ONC_CONFORMANCE_DATA", str(tmp_path))
    imports.add(PACKAGES[version])
    guide = fhir.load(version)
    assert guide.expressions
    for name, each in examples(version).items():
        assert [(one.rule, one.path) for one in fhir.validate(each, guide) if one.rule != "RULE-ERRATUM"] == [
            (one.rule, one.path) for one in ours[name] if one.rule != "RULE-ERRATUM"
        ], name
    assert not capsys.readouterr().out


@pytest.mark.parametrize("version", PACKAGES)
def test_the_resources_of_a_patient_are_right_but_for_what_is_listed(version):
    bundle = json.loads(PATIENT.read_text(encoding="utf-8"))
    found = fhir.validate(bundle, fhir.load(version), resolve=fhir.within(bundle))
    later = [each for each in found if each.rule == "FHIR-CODE" and each.severity is Severity.WARNING]
    assert len(later) == LATER[version]
    many = {}
    for each in found:
        if each.severity is Severity.ERROR:
            many[each.rule] = many.get(each.rule, 0) + 1
    assert many == {rule: number for rule, (number, _) in OF_THE_PATIENT[version].items()}
