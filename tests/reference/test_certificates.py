"""What the server proves itself with, and what it speaks."""

import socket
import ssl
import warnings
from urllib.parse import urlsplit

import pytest

from onc_conformance.reference import ReferenceEHR


def spoken(ehr, version=None, host="127.0.0.1"):
    """The version agreed on, or the reason for none."""
    context = ssl.create_default_context(cafile=ehr.env["FHIR_CA_FILE"])
    if version:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
    parts = urlsplit(ehr.secure_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as line:
        try:
            with context.wrap_socket(line, server_hostname=host) as secure:
                return secure.version()
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except ssl.SSLError as error:
            return error.reason


@pytest.fixture(scope="module")
def ehr():
    with ReferenceEHR() as running:
        yield running


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_is_who_it_says_it_is(ehr, host):
    assert spoken(ehr, host=host) == "TLSv1.3"
    assert spoken(ehr, ssl.TLSVersion.TLSv1_2, host) == "TLSv1.2"


def test_it_is_nobody_else(ehr):
    assert "Hostname mismatch" in spoken(ehr, host="ehr.example.org")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(ehr, version):
    assert spoken(ehr, version) == "TLSV1_ALERT_PROTOCOL_VERSION"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("smart-certificate-of-another-host", "IP address mismatch"),
        ("smart-certificate-of-unknown-authority", "unable to get local issuer"),
        ("smart-certificate-expired", "has expired"),
    ],
)
def test_faults_of_the_certificate(fault, told):
    with ReferenceEHR(faults=[fault]) as ehr:
        assert told in spoken(ehr)


def test_the_fault_of_an_old_version():
    with ReferenceEHR(faults=["smart-tls-1.1-accepted"]) as ehr:
        assert spoken(ehr, ssl.TLSVersion.TLSv1_1) == "TLSv1.1"
        assert spoken(ehr, ssl.TLSVersion.TLSv1) == "TLSV1_ALERT_PROTOCOL_VERSION"
