"""No token, code, secret, assertion, cookie or key of a run over (g)(10) is in what it writes or says, in any dress."""

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from joserfc import jwt

from onc_conformance import cli
from onc_conformance.reference import ReferenceEHR
from onc_conformance.reference.tickets import Tickets

NOISY = ("smart-code-twice-accepted", "smart-secret-unchecked", "smart-denied-scope-granted")
"""Faults after which more is given out than should be, and told of in findings."""


def dresses(secret):
    """The secret as it is, in a URL, in base64 at each place it can start, and in hex."""
    raw = secret.encode()
    yield from {secret, quote(secret, safe=""), quote_plus(secret), raw.hex()}
    for lead in range(3):
        whole = base64.b64encode(b"\0" * lead + raw).decode()
        core = whole[-(-8 * lead // 6) : 8 * (lead + len(raw)) // 6]
        yield from {core, core.replace("+", "-").replace("/", "_")}


@pytest.fixture
def minted(monkeypatch):
    """Everything that is given out, or made, on either side while the test runs."""
    found = set()

    def kept(make):
        def making(*arguments, **named):
            made = make(*arguments, **named)
            found.add(made)
            return made

        return making

    monkeypatch.setattr(Tickets, "issue", kept(Tickets.issue))
    monkeypatch.setattr(jwt, "encode", kept(jwt.encode))
    variables = ReferenceEHR._variables

    def known(ehr):
        env = variables(ehr)
        found.update(env[name] for name in env if name.endswith(("SECRET", "PASSWORD", "TOKEN", "PASS", "SID")))
        for text in ehr._smart.keys().values():
            keys = json.loads(text)
            found.update(key[part] for key in keys.get("keys", [keys]) for part in ("d", "p", "q") if part in key)
        return env

    monkeypatch.setattr(ReferenceEHR, "_variables", known)
    return found


def run(folder, capfd, *more):
    arguments = ("run", "--target", "reference:fhir", "--patients", "tiny", "--criterion", "g10")
    cli.main([*arguments, "--reports", str(folder), *more])
    told = capfd.readouterr()
    files = {path: path.read_text("utf-8", errors="replace") for path in folder.rglob("*") if path.is_file()}
    return {**files, "standard output": told.out, "standard error": told.err}


def leaked(minted, texts, caplog):
    texts = {**texts, "log": "\n".join(record.getMessage() for record in caplog.records)}
    whole = "\0".join(texts.values())
    found = [each for secret in minted for each in dresses(secret) if len(each) >= 8 and each in whole]
    return {str(name): each for each in found for name, text in texts.items() if each in text}


def test_a_whole_run_keeps_its_secrets(tmp_path, capfd, caplog, minted):
    caplog.set_level(logging.DEBUG)
    texts = run(tmp_path, capfd)
    assert len(texts) > 100
    assert len(minted) > 100
    assert leaked(minted, texts, caplog) == {}


@pytest.mark.parametrize("fault", NOISY)
def test_a_run_with_a_fault_keeps_them_too(tmp_path, capfd, caplog, minted, fault):
    caplog.set_level(logging.DEBUG)
    texts = run(tmp_path, capfd, "--fault", fault, "--tags", "AUT-PAT-18 or AUT-PAT-11")
    assert "failed" in texts["standard output"]
    assert leaked(minted, texts, caplog) == {}
