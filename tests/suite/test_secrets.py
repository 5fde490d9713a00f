"""No declared secret, however it is dressed, is in any file a run writes or in anything it says."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.suite.vendor import CCD

secrets = st.text(
    st.characters(min_codepoint=33, max_codepoint=0xFF, exclude_categories=("Cc", "Cs", "Zs", "Mn")), min_size=12
).filter(lambda text: len(set(text)) > 5 and text.strip() == text)


def dresses(secret):
    raw = secret.encode()
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(raw).decode()
    yield base64.urlsafe_b64encode(raw).decode()
    yield base64.b64encode(b"tester:" + raw).decode()
    yield raw.hex()
    yield raw.hex().upper()


@pytest.fixture
def usual(command):
    """What every run writes and says: its words are no secrets."""
    _, out, err = command.run("--criterion", "g7,g9")
    return out + err + "".join(text for _, text in written(command.folder))


def written(folder):
    return [
        (path, path.read_text("utf-8", errors="replace"))
        for path in folder.rglob("*")
        if path.is_file() and "reports" in path.parts
    ]


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(password=secrets, token=secrets)
def test_no_secret_is_written_or_said(command, vendor, monkeypatch, usual, password, token):
    needles = {dress for secret in (password, token) for dress in dresses(secret)}
    assume(not any(needle in usual for needle in needles))
    echo = " ".join([*dresses(password), *dresses(token)])
    monkeypatch.setenv("ACME_PASS", password)
    vendor.token, vendor.patient = token, "p-1"
    vendor.answers["login"] = (200, "application/json", json.dumps({"token": token, "echo": echo}).encode())
    comment = f"<!-- {echo.replace('--', '- -')} -->" if "--" not in echo else ""
    vendor.answers["ccd"] = (200, "text/xml; charset=utf-8", CCD + comment.encode())
    vendor.answers["patients"] = (
        200,
        "application/json",
        json.dumps({"patients": [{"id": "p-1", "e": echo}]}).encode(),
    )
    code, out, err = command.run("--criterion", "g7,g9")
    assert code in {1, 3}
    files = written(command.folder)
    assert len(files) > 20
    for text in (out, err, *(text for _, text in files)):
        assert not [needle for needle in needles if needle in text]
