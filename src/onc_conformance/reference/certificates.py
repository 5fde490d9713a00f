"""A certificate authority of this server's own, and its certificate for this machine: made anew at each start."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Collection

_DAY = dt.timedelta(days=1)
_AUTHORITY = "onc-conformance reference EHR, authority of this run"


class Authority:
    """Signs the certificates of one run."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = _name(_AUTHORITY)
        now = dt.datetime.now(dt.UTC)
        self._certificate = (
            _begun(name, name, self._key.public_key(), now - _DAY, now + 365 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """Its own certificate, for those who are to trust it."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, hosts: Collection[str], *, over: bool = False) -> bytes:
        """Private key and certificate for the hosts, PEM; `over` if its time has passed."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        end = now - _DAY if over else now + 90 * _DAY
        named: list[x509.GeneralName] = [_host(host) for host in hosts]
        certificate = (
            _begun(_name("reference EHR"), self._certificate.subject, key.public_key(), now - 30 * _DAY, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(named), critical=False)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private + certificate.public_bytes(serialization.Encoding.PEM)


def context(authority: Authority, host: str, faults: Collection[str]) -> ssl.SSLContext:
    """What a server of `host` speaks: TLS 1.2 or better, with a certificate of the authority, but for the faults."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if "smart-tls-1.1-accepted" in faults:
        made.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            made.minimum_version = ssl.TLSVersion.TLSv1_1
    hosts = {"127.0.0.1", "localhost", host}
    signed_by = Authority() if "smart-certificate-of-unknown-authority" in faults else authority
    if "smart-certificate-of-another-host" in faults:
        hosts = {"ehr.example.org"}
    with tempfile.TemporaryDirectory(prefix="reference-ehr-") as folder:
        chain = Path(folder) / "chain.pem"
        chain.touch(0o600)
        chain.write_bytes(signed_by.issue(hosts, over="smart-certificate-expired" in faults))
        made.load_cert_chain(chain)
    return made


@cache
def authority() -> Authority:
    """One for each process."""
    return Authority()


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    first: dt.datetime,
    last: dt.datetime,
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=first,
        not_valid_after=last,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
