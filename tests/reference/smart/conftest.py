import pytest
from tests.reference.smart.apps import Browser, SmartApp

from onc_conformance.reference import ReferenceEHR


@pytest.fixture(scope="package")
def ehr():
    with ReferenceEHR() as running:
        yield running


@pytest.fixture
def browser(ehr):
    return Browser(ehr)


@pytest.fixture
def app(ehr):
    return SmartApp(ehr)
