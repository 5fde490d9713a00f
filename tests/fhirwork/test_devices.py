"""The label of a device and the elements beside it."""

import pytest
from tests.fhirwork.test_bad_answers import exchange

from onc_conformance.fhirwork import devices
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.chart import Kept

LABEL = "(01)00850000100008(17)210531(11)160100(10)LX 2290(21)PM-558812"
DEVICE = {
    "resourceType": "Device", "id": "d", "expirationDate": "2021-05-31", "manufactureDate": "2016-01-15T00:00:00Z",
    "lotNumber": "LX 2290", "serialNumber": "PM-558812",
}  # fmt: skip


def objections(label=LABEL, di="00850000100008", **other):
    resource = {**DEVICE, **other, "udiCarrier": [{"deviceIdentifier": di, "carrierHRF": label}]}
    resource = {name: value for name, value in resource.items() if value is not None}
    found = devices.labelled(Kept(resource, Got("GET", exchange(b"{}"), {}, None)))
    return [(each.severity.value, each.path, each.found) for each in found]


def test_a_device_as_its_label_says_is_right():
    assert objections() == []
    assert objections("+H123PARTNO1234567890120/$$420020216LOT123456789012345/16D20130202C", lotNumber="else") == []
    assert objections(label=None) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"di": "1"}, ("error", "Device/d.udiCarrier[0].deviceIdentifier", "1")),
        ({"lotNumber": "LX2290"}, ("error", "Device/d.lotNumber", "LX2290")),
        ({"serialNumber": None}, ("warning", "Device/d.serialNumber", "none")),
        ({"expirationDate": "2021-05-30"}, ("error", "Device/d.expirationDate", "2021-05-30")),
        ({"manufactureDate": "2016-02-01"}, ("error", "Device/d.manufactureDate", "2016-02-01")),
    ],
)
def test_a_part_that_is_otherwise_is_told_at_its_place(change, told):
    assert objections(**change) == [told]


def test_what_is_no_label_is_passed_over():
    odd = {"resourceType": "Device", "id": "d", "udiCarrier": ["x", {"carrierHRF": 1}, {}]}
    assert list(devices.labelled(Kept(odd, Got("GET", exchange(b"{}"), {}, None)))) == []
