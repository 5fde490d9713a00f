"""What a clinician's launch page tells an app, rightly and by fault."""

import pytest

from onc_conformance.reference.smart.launching import OPENED

TOLD = {"iss": "http://127.0.0.1:1/fhir", "launch": "a-launch"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("smart-launch-without-iss", {"launch": "a-launch"}),
        ("smart-launch-of-another-server", {**TOLD, "iss": "http://127.0.0.1:1/fhir/elsewhere"}),
        ("smart-launch-without-value", {"iss": TOLD["iss"]}),
    ],
)
def test_an_app_is_told_less_or_else(fault, told):
    assert OPENED[fault](dict(TOLD)) == told
    assert set(OPENED) == {"smart-launch-without-iss", "smart-launch-of-another-server", "smart-launch-without-value"}
