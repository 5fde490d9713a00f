"""No token, code, secret, assertion, cookie or key of a run over (g)(10) is in what it writes or says, in any dress."""

import base64
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from joserfc import jwt

from onc_conformance import authorization, cli
from onc_conformance.access import backend
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

    def written(request, make=backend.Asked.written):
        form = make(request)
        found.update(form[name] for name in ("client_assertion",) if len(form.get(name, "").split(".")) == 3)
        return form

    monkeypatch.setattr(backend.Asked, "written", written)
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
    targets = ("--target", "reference:fhir", *(each for each in more if each.startswith("reference:")))
    arguments = ("run", *targets, "--patients", "tiny", "--criterion", "g10", "--reports", str(folder))
    cli.main([*arguments, *(each for each in more if not each.startswith("reference:"))])
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


def test_a_fault_of_our_own_keeps_them(tmp_path, capfd, caplog, minted, monkeypatch):
    """What the suite does wrong is told with a traceback, which has seen everything."""

    def broken(launch, rule):
        raise RuntimeError(f"cannot use {launch.given().access_token} of {launch.given().fields} as {rule}")

    monkeypatch.setattr(authorization, "token_came", broken)
    texts = run(tmp_path, capfd, "--tags", "AUT-PAT-1 or AUT-PAT-3")
    assert "cannot use ***" in "".join(texts.values())
    assert leaked(minted, texts, caplog) == {}


def test_several_targets_at_once_keep_them(tmp_path, capfd, caplog, minted):
    texts = run(tmp_path, capfd, "reference:docref", "--jobs", "2", "--tags", "AUT-PAT-3 or AUT-SYS-1")
    assert len(texts) > 20
    assert leaked(minted, texts, caplog) == {}


def test_a_run_that_is_judged_again_keeps_them(tmp_path, capfd, caplog, minted):
    run(tmp_path / "first", capfd, "--tags", "bulk or AUT-PAT-3")
    cli.main(["run", "--replay", str(tmp_path / "first" / "latest"), "--reports", str(tmp_path / "again")])
    told = capfd.readouterr()
    texts = {path: path.read_text("utf-8", errors="replace") for path in tmp_path.rglob("*") if path.is_file()}
    assert leaked(minted, {**texts, "standard output": told.out, "standard error": told.err}, caplog) == {}
