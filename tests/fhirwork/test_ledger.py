"""The ledger of must-support elements: what counts as shown, what may stand in for what, what nobody has to show."""

import tomllib

import pytest

from onc_conformance import fhir, suite
from onc_conformance.fhirwork import guidance, ledger
from onc_conformance.fhirwork.chart import Kept

ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"


def shown(profile, version="6.1.0", **elements):
    guide = fhir.load(version)
    found = guide.profile(profile)
    return ledger.seen({"resourceType": found.type, "id": "a", **elements}, found, guide)


def missing(*resources, version="6.1.0"):
    guide = fhir.load(version)
    book = ledger.keep([Kept(each, None) for each in resources], guide, guide.searches)
    return {(line.profile.id, line.element) for line in book.missing}


def of(profile, **elements):
    kind = fhir.load("8.0.0").profile(profile) or fhir.load("6.1.0").profile(profile)
    return {"resourceType": kind.type, "id": "a", "meta": {"profile": [CORE + profile]}, **elements}


def test_why_a_value_is_absent_is_no_value():
    assert "subject" in shown("us-core-goal", subject={"reference": "Patient/1"})
    assert "subject" not in shown("us-core-goal", subject=ABSENT)
    assert "lifecycleStatus" not in shown("us-core-goal", _lifecycleStatus=ABSENT)


def test_only_a_type_or_a_target_that_is_marked_shows_an_element():
    assert "performed[x]" in shown("us-core-procedure", performedDateTime="2020")
    assert "performed[x]" not in shown("us-core-procedure", performedString="long ago")
    assert "requester" in shown("us-core-medicationrequest", requester={"reference": "Practitioner/1"})
    assert "requester" not in shown("us-core-medicationrequest", requester={"reference": "Patient/1"})
    assert "requester" in shown("us-core-medicationrequest", requester={"reference": "#inside"})


def test_what_uscdi_asks_for_is_wanted_too():
    assert ("us-core-patient", "name.suffix") in missing(of("us-core-patient"))
    suffixed = of("us-core-patient", name=[{"family": "Lee", "suffix": ["Jr"]}])
    assert ("us-core-patient", "name.suffix") not in missing(suffixed)


@pytest.mark.parametrize(
    ("profile", "version", "one", "other"),
    [
        ("us-core-encounter", "6.1.0", {"reasonCode": [{"text": "x"}]}, "reasonReference"),
        ("us-core-encounter", "7.0.0", {"serviceProvider": {"reference": "Organization/1"}}, "location.location"),
        ("us-core-goal", "6.1.0", {"startDate": "2020-01-01"}, "target.due[x]"),
        ("us-core-goal", "8.0.0", {"target": [{"dueDate": "2020-01-01"}]}, "start[x]"),
        ("us-core-medicationrequest", "8.0.0", {"reasonCode": [{"text": "x"}]}, "reasonReference"),
        (
            "us-core-documentreference", "3.1.1", {"content": [{"attachment": {"url": "Binary/1"}}]},
            "content.attachment.data",
        ),
        ("us-core-implantable-device", "3.1.1", {"udiCarrier": [{"carrierHRF": "x"}]}, "udiCarrier.carrierAIDC"),
        ("us-core-patient", "6.1.0", {"name": [{"period": {"end": "2020"}}]}, "name.use"),
        ("us-core-specimen", "8.0.0", {"identifier": [{"value": "x"}]}, "accessionIdentifier"),
    ],
)  # fmt: skip
def test_of_some_elements_one_is_enough(profile, version, one, other):
    assert (profile, other) in missing(of(profile), version=version)
    assert (profile, other) not in missing(of(profile, **one), version=version)


def test_another_profile_may_stand_in():
    address = ("us-core-practitioner", "address.city")
    assert address in missing(of("us-core-practitioner"))
    assert address not in missing(of("us-core-practitioner"), of("us-core-practitionerrole"))
    needed = ("us-core-patient", "extension:interpreterRequired")
    assert needed in missing(of("us-core-patient"), of("us-core-encounter"), version="8.0.0")
    interpreter = [{"url": f"{CORE}us-core-interpreter-needed", "valueCoding": {"code": "373066001"}}]
    told = of("us-core-encounter", extension=interpreter)
    assert needed not in missing(of("us-core-patient"), told, version="8.0.0")


def test_an_exception_holds_for_its_version_alone():
    custodian = ("us-core-documentreference", "custodian")
    assert custodian not in missing(of("us-core-documentreference"), version="3.1.1")
    specimen = of("us-core-specimen", identifier=[{"value": "x"}])
    assert ("us-core-specimen", "accessionIdentifier") in missing(specimen, version="7.0.0")


def test_a_gap_names_all_that_would_close_it():
    guide = fhir.load()
    exchange = type("Exchange", (), {"id": "1"})
    kept = Kept(of("us-core-encounter"), type("Got", (), {"exchange": exchange}))
    told = {each.path: each.hint for each in ledger.gaps(ledger.keep([kept], guide, guide.searches), "DAT-PAT-2")}
    assert (
        told["Encounter.reasonCode"] == "enter reasonCode or reasonReference for Encounter/a, or for any other of them"
    )


def test_every_exception_is_of_something_that_is_there_and_says_where_it_stands():
    guides = [fhir.load(version) for version in fhir.versions()]
    text = (suite.schemas() / "us-core" / "guidance.toml").read_text(encoding="utf-8")
    for name in ("either", "unneeded"):
        for row in tomllib.loads(text)[name]:
            assert row["source"], row
            able = [guide for guide in guides if guide.version in row.get("versions", [guide.version])]
            profiles = [each for guide in able for of_type in guide.of_type.values() for each in of_type]
            meant = [each for each in profiles if row.get("profile") == each.id or row.get("type") == each.type]
            assert meant, row
            marked = {
                each.id.partition(".")[2] for one in meant for each in one.elements if each.must_support or each.uscdi
            }
            for element in row.get("elements", ()):
                assert "#" in element or any(guidance.within(each, element) for each in marked), (row, element)


def test_what_stands_in_a_slice_that_nobody_has_to_show_is_not_wanted():
    guide = fhir.load("8.0.0")
    wanted = set(ledger.lines(guide.profile("us-core-organization"), guide))
    assert {"identifier:NPI", "identifier:NPI.system", "identifier.system"} <= wanted
    assert not {name for name in wanted if name.startswith(("identifier:CLIA", "identifier:NAIC"))}


def test_a_slice_of_a_set_that_is_not_listed_here_is_shown_by_what_may_be_of_it():
    profile = "us-core-adi-documentreference"
    directives = {"coding": [{"system": "http://loinc.org", "code": "42348-3"}]}
    assert "category:adi" in shown(profile, "8.0.0", category=[directives])
    assert "category:adi" not in shown(profile, "8.0.0", category=[{"text": "a will"}])
    assert "category:us-core" not in shown("us-core-condition-problems-health-concerns", "8.0.0", category=[directives])
