"""What is spoilt: documents of the reference EHR, smallest first."""

import pytest

from onc_conformance import suite
from onc_conformance.reference import ccd, charts


@pytest.fixture(scope="session")
def documents():
    everyone = charts.load([*charts.bundled(), suite.schemas() / "patients" / "tiny.toml"])
    return sorted((ccd.document(chart, document_id="1") for chart in everyone), key=len)[:8]
