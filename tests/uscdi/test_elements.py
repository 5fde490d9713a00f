"""The data elements as data: complete, of each edition, and agreeing with the categories."""

from __future__ import annotations

import pytest

from onc_conformance import procedure, uscdi
from onc_conformance.ccda import held, places
from onc_conformance.uscdi import Enforcement

ELEMENTS = {each.id: each for edition in procedure.editions() for each in uscdi.of_edition(edition).elements}


@pytest.mark.parametrize(
    ("edition", "elements", "classes"),
    [("uscdi-v1", 52, 16), ("uscdi-v3", 94, 19), ("svap-uscdi-v4", 114, 20), ("svap-uscdi-v5", 130, 22)],
)
def test_an_edition_has_as_many_elements_and_classes_as_onc_published(edition, elements, classes):
    data = uscdi.of_edition(edition)
    assert (len(data.elements), len({each.data_class for each in data.elements})) == (elements, classes)


def test_the_overlay_leaves_ninety_two():
    data = uscdi.of_edition("uscdi-v3")
    assert len([each for each in data.elements if not each.excused]) == 92
    assert not any(each.excused for each in uscdi.of_edition("svap-uscdi-v4").elements)


def test_the_common_clinical_data_set_is_made_of_elements_of_version_1():
    ccds = {each.id for each in uscdi.of_edition("ccds-2015").elements}
    assert ccds == {each for category in uscdi.categories().values() for each in category.elements}
    assert ccds < {each.id for each in uscdi.of_edition("uscdi-v1").elements}
    assert all(category.elements for category in uscdi.categories().values() if category.ccds)


def test_every_element_has_a_place_whose_conditions_are_known():
    for element in ELEMENTS.values():
        assert element.places, element.id
        for place in element.places:
            assert place.held in held.KINDS, element.id
            assert all(step.named is None or step.named in places.NAMED for step in place.steps), element.id


def test_a_hard_element_has_a_system_to_be_hard_about():
    unbound = {each.id for each in ELEMENTS.values() if each.enforcement is Enforcement.HARD and not each.systems}
    assert unbound == {"patient_demographics.preferred_language"}, "a language is no code of a system"


def test_what_shares_a_place_is_judged_by_the_mildest():
    tests = next(each for each in uscdi.of_edition("uscdi-v3").elements if each.id == "laboratory.tests")
    assert tests.enforcement is Enforcement.SOFT
    assert {"2.16.840.1.113883.6.1", "2.16.840.1.113883.6.96"} <= tests.systems
    alone = next(each for each in uscdi.of_edition("uscdi-v1").elements if each.id == "laboratory.tests")
    assert alone.enforcement is Enforcement.HARD


def test_an_element_has_its_place_in_the_us_core_of_its_edition():
    def where(edition):
        [sex] = [each for each in uscdi.of_edition(edition).elements if each.id == "patient_demographics.sex"]
        return {(each.profile, each.path) for each in sex.fhir}

    assert where("uscdi-v1") == {("us-core-patient", "Patient.extension:birthsex")}
    assert where("uscdi-v3") == {("us-core-patient", "Patient.extension:sex")}
    assert where("ccds-2015") == set(), "the Common Clinical Data Set had no FHIR of its own"


def test_an_element_names_the_value_sets_that_c_cda_binds():
    [sex] = [each for each in uscdi.of_edition("uscdi-v3").elements if each.id == "patient_demographics.sex"]
    assert ("R2.1", "2.16.840.1.113883.1.11.1") in {(each.release, each.oid) for each in sex.value_sets}


def test_the_same_edition_is_read_once():
    assert uscdi.of_edition("uscdi-v3") is uscdi.of_edition("uscdi-v3")
