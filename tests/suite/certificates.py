"""Certificates for tests: an authority of their own, and what it gave out, good and bad."""

import datetime as dt
import ipaddress
import itertools
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.suite.vendor import Vendor

NAMES = itertools.count(1)


def authority(name):
    key = ec.generate_private_key(ec.SECP256R1())
    return certificate(name, key, None, None), key


def certificate(name, key, issuer, issuer_key, *, days=1, host="127.0.0.1"):
    """A certificate valid until `days` from now, of itself where there is no issuer."""
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(next(NAMES))
        .not_valid_before(now - dt.timedelta(days=30))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer is None:
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        builder = builder.add_extension(usage, critical=True)
    else:
        named = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        known = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.add_extension(named, critical=False).add_extension(known, critical=False)
    return builder.sign(issuer_key or key, hashes.SHA256())


def kept(path, certificate, key=None):
    """The certificate, and its key, as a PEM file."""
    text = certificate.public_bytes(serialization.Encoding.PEM)
    if key is not None:
        text += key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    path.write_bytes(text)
    return str(path)


def issued(folder):
    """PEM files by name: the authority, and certificates it gave out, good and bad."""
    root, root_key = authority("Test Authority")
    files = {"authority": kept(folder / "authority.pem", root)}
    for name, more in (("good", {}), ("expired", {"days": -2}), ("elsewhere", {"host": "10.1.2.3"}), ("client", {})):
        key = ec.generate_private_key(ec.SECP256R1())
        files[name] = kept(folder / f"{name}.pem", certificate(name, key, root, root_key, **more), key)
    return files


def served(files, name="good", *, wants_certificate=False):
    """The vendor over TLS, showing one of the certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[name])
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files["authority"])
    return Vendor(tls=context)
