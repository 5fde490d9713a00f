"""No declared secret, however it is dressed, is in any file a run writes or in anything it says."""

import base64
import json
from urllib.parse import quote, quote_plus

from hypothesis import HealthCheck, given, settings
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


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(password=secrets, token=secrets)
def test_no_secret_is_written_or_said(command, vendor, monkeypatch, password, token):
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
    written = [path for path in command.folder.rglob("*") if path.is_file() and "reports" in path.parts]
    assert len(written) > 20
    needles = {dress for secret in (password, token) for dress in dresses(secret)}
    for text in (out, err, *(path.read_text("utf-8", errors="replace") for path in written)):
        assert not [needle for needle in needles if needle in text]
