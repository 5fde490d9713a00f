"""What is made of conversations below HTTP: trusted, refused, closed, or not to be told."""

from types import SimpleNamespace

import pytest

from onc_conformance import secured
from onc_conformance.access.tls import Said, Seen
from onc_conformance.exchange import Journal
from onc_conformance.findings import NotApplicable, NotTested
from onc_conformance.redaction import Secrets

ENDPOINTS = {
    "the FHIR server": "https://ehr.example/fhir/metadata",
    "the token endpoint": "https://ehr.example:443/auth/token",
    "the jwks uri": "https://keys.example:8443/jwks?x=1",
    "the launch page": "http://ehr.example/launch",
}
PORT = secured.Port("ehr.example", 443, {"the FHIR server": ENDPOINTS["the FHIR server"]})


def look(said, offered="", **facts):
    return secured.Look(PORT, Seen(said, **facts), "0001", offered)


def messages(findings):
    return [finding.message for finding in findings]


def test_endpoints_are_gathered_by_port_and_those_without_tls_are_objected_to():
    first, second = secured.ports(ENDPOINTS)
    assert (first.host, first.port, len(first.endpoints), first.path) == ("ehr.example", 443, 2, "/fhir/metadata")
    assert (second.address, second.path) == ("https://keys.example:8443", "/jwks?x=1")
    assert messages(secured.unsecured(ENDPOINTS, "R")) == ["the launch page is not secured by TLS"]


@pytest.mark.parametrize(
    ("said", "many"),
    [
        (Said.ACCEPTED, 0),
        (Said.UNTRUSTED, 1),
        (Said.REFUSED, 1),
        (Said.SILENT, 1),
        (Said.GARBLED, 1),
        (Said.UNREACHABLE, 0),
        (Said.IMPOSSIBLE, 0),
    ],
)
def test_a_handshake_must_come_about_and_its_certificate_stand(said, many):
    assert len(list(secured.trusted([look(said, why="unable to get local issuer")], "R"))) == many


def test_an_old_version_that_is_accepted_is_objected_to():
    looks = [look(said, "TLS 1.1") for said in Said]
    assert messages(secured.refused(looks, "R")) == ["TLS 1.1 is accepted: the FHIR server at ehr.example:443"]


@pytest.mark.parametrize(
    ("facts", "many"),
    [
        ({"status": 200}, 1),
        ({"status": 401}, 1),
        ({"status": 404}, 1),
        ({"status": 302, "location": "http://ehr.example/"}, 1),
        ({"status": 301, "location": "https://ehr.example/"}, 0),
        ({"status": 400}, 0),
        ({"status": 426}, 0),
    ],
)
def test_an_answer_without_tls_must_send_on_to_tls_or_say_no(facts, many):
    assert len(list(secured.closed([look(Said.ACCEPTED, **facts)], "R"))) == many
    assert list(secured.closed([look(Said.REFUSED), look(Said.SILENT)], "R")) == []


@pytest.mark.parametrize("said", [Said.IMPOSSIBLE, Said.UNREACHABLE])
def test_what_could_not_be_asked_is_not_tested(said):
    with pytest.raises(NotTested, match="because"):
        secured.seen_through([look(Said.ACCEPTED), look(said, "TLS 1.1", why="because")])


def test_a_proxy_or_nothing_behind_tls_leaves_it_untested():
    exam = SimpleNamespace(target=SimpleNamespace(transport=SimpleNamespace(proxy="http://proxy", tls_verify=True)))
    with pytest.raises(NotTested, match="proxy"):
        secured.unencrypted(exam, ENDPOINTS)
    exam.target.transport.proxy = None
    with pytest.raises(NotTested, match="no endpoint"):
        secured.unencrypted(exam, {"the FHIR server": "http://ehr.example"})


def exam_of(base, **files):
    """An export whose files are where the test says."""
    outputs = [SimpleNamespace(url=url, name=name) for name, url in files.items()]
    exam = SimpleNamespace(
        fhir=SimpleNamespace(base=base),
        target=SimpleNamespace(id="t", transport=SimpleNamespace(proxy=None, tls_verify=True, client_cert=None)),
        journal=Journal(Secrets()),
        used=[],
    )
    return exam, SimpleNamespace(outputs=outputs, messages=[])


def test_files_are_looked_for_on_each_other_server_once():
    base = "https://ehr.example/fhir"
    exam, told = exam_of(
        base, a="https://ehr.example/files/a", b="http://b.example/b?sig=x", c="http://b.example/c", d="files/d"
    )
    assert secured.elsewhere(exam, told) == {"the file b": "http://b.example/b"}
    with pytest.raises(NotApplicable, match="on the FHIR server itself"):
        secured.elsewhere(*exam_of(base, a="https://ehr.example/files/a"))


def test_files_on_another_server_are_behind_tls(monkeypatch):
    others = {"the file a": "https://files.example/a", "the file b": "http://b.example/b"}
    exam, _ = exam_of("https://ehr.example/fhir")
    monkeypatch.setattr(secured.tls, "verified", lambda *_, **__: Seen(Said.UNTRUSTED, why="expired"))
    monkeypatch.setattr(secured.tls, "offered", lambda *_, **__: Seen(Said.ACCEPTED, version="TLS 1.1"))
    monkeypatch.setattr(secured.tls, "plain", lambda *_, **__: Seen(Said.ACCEPTED, status=200))
    looks = secured.handshakes(exam, others)
    said = messages(secured.behind_tls(exam, others, looks, "R"))
    assert [each.partition(":")[0] for each in said] == [
        "the file b is not secured by TLS",
        "the certificate does not stand",
        "TLS 1.0 is accepted",
        "TLS 1.1 is accepted",
        "requests are answered without TLS",
    ]
    exam.journal.close()
