"""What the FHIR server writes keeps to the version of US Core it follows, and shows all that the version wants."""

import pytest

from onc_conformance import fhir
from onc_conformance.fhirwork import ledger
from onc_conformance.fhirwork.chart import Kept
from onc_conformance.findings import Severity
from onc_conformance.reference import charts
from onc_conformance.reference.charted import ChartedPerson
from onc_conformance.reference.fhir import catalog, records, statement, versions
from onc_conformance.reference.people import People
from onc_conformance.reference.settings import US_CORE

ADVICE = {
    "3.1.1": set(),
    "6.1.0": {"us-core-vital-signs#Observation.code", "us-core-vital-signs#Observation.component.code"},
    "7.0.0": {"us-core-5"},
    "8.0.0": {"us-core-5"},
}
"""Rules of warnings: 6.1.0 has no code of a mean pressure, and 7.0.0 wants an NDC code beside every vaccine's."""


@pytest.fixture(scope="module", params=US_CORE)
def version(request):
    return request.param


@pytest.fixture(scope="module")
def found(version):
    people = People([ChartedPerson(chart) for chart in charts.load(charts.bundled())])
    return records.of_people(people, "http://localhost/fhir", version)


@pytest.fixture(scope="module")
def every(found):
    return [resource for kind in found.kinds() for resource in found.of_type(kind)]


def test_every_resource_keeps_to_the_version(version, every):
    there = {f"{one['resourceType']}/{one['id']}": one for one in every}
    guide = fhir.load(version)
    said = [finding for one in every for finding in fhir.validate(one, guide, resolve=there.get)]
    assert [each for each in said if each.severity is Severity.ERROR] == []
    assert {each.rule for each in said if each.severity is Severity.WARNING} == ADVICE[version]


def test_every_must_support_element_is_shown(version, every):
    guide = fhir.load(version)
    book = ledger.keep([Kept(each, None) for each in every], guide, guide.searches)
    assert [(line.profile.id, line.element) for line in book.missing] == []
    assert [profile.id for profile in book.without] == []


def test_the_statement_tells_of_the_types_and_profiles_of_the_version(version, found):
    told = statement.written("http://localhost/fhir", "http://localhost/auth", found, version, charted=True)
    by_type = {each["type"]: each for each in told["rest"][0]["resource"]}
    assert set(found.kinds()) - {"Group"} <= by_type.keys()
    guide = fhir.load(version)
    declared = {name for each in by_type.values() for name in each.get("supportedProfile", ())}
    wanted = {profile.url for profile in ledger.needed(guide)}
    assert wanted <= declared <= guide.profiles.keys()


def test_a_version_leaves_out_what_came_later():
    assert "us-core-condition" in catalog.profiles("3.1.1")
    assert "us-core-condition" not in catalog.profiles("6.1.0")
    assert "Coverage" not in catalog.kinds("3.1.1")
    assert "Coverage" in catalog.kinds("6.1.0")
    assert versions.has("6.1.0", {"since": "6.1.0", "until": "6.1.0"})
    assert not versions.has("7.0.0", {"until": "6.1.0"})
    with pytest.raises(ValueError, match="not in tuple"):
        versions.has("6.1.0", {"since": "4.0.0"})
