"""Attestation and excuse files: what is read, and what the errors name."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from onc_conformance.findings import UsageError
from onc_conformance.gate import load_attestations, load_excuses

SEEN = b"what the person saw"
ATTESTATION = f"""
[[attestation]]
step = "G7-IIA2-TLV-1"
target = "acme"
who = "R. Proctor, Lab"
when = 2026-11-01
statement = "The settings are described."
evidence = "shots/components.png"
sha256 = "{hashlib.sha256(SEEN).hexdigest().upper()}"
expires = 2027-11-01
"""
EXCUSE = '[[excuse]]\nstep = "G9-IB-TLV-1"\nreason = "No dated data yet"\nexpires = 2027-01-31\n'


@pytest.fixture
def attestations(tmp_path):
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots/components.png").write_bytes(SEEN)
    path = tmp_path / "attestations.toml"
    path.write_text(ATTESTATION)
    return path


def test_an_attestation_is_read_with_its_evidence_checked(attestations):
    (entry,) = load_attestations(attestations)
    assert (entry.step, entry.target, entry.when) == ("G7-IIA2-TLV-1", "acme", date(2026, 11, 1))
    assert entry.defect is None
    assert entry.invalid(date(2027, 11, 1)) is None
    assert entry.invalid(date(2027, 11, 2)) == "expired on 2027-11-01"
    assert not entry.demonstration


def test_changed_evidence_makes_the_entry_invalid(attestations):
    (attestations.parent / "shots/components.png").write_bytes(b"something else")
    (entry,) = load_attestations(attestations)
    assert "shots/components.png has sha256" in entry.defect
    assert hashlib.sha256(SEEN).hexdigest() in entry.defect


def test_missing_evidence_makes_the_entry_invalid(attestations):
    (attestations.parent / "shots/components.png").unlink()
    (entry,) = load_attestations(attestations)
    assert entry.defect == "evidence file shots/components.png cannot be read"


def test_a_demonstration_file_labels_every_entry(attestations):
    attestations.write_text("demonstration = true\n" + ATTESTATION * 2)
    assert [entry.demonstration for entry in load_attestations(attestations)] == [True, True]


def test_an_empty_file_attests_nothing(attestations):
    attestations.write_text("")
    assert load_attestations(attestations) == ()


def test_an_excuse_is_read(tmp_path):
    path = tmp_path / "excuses.toml"
    path.write_text(EXCUSE)
    (entry,) = load_excuses(path)
    assert (entry.step, entry.target, entry.reason) == ("G9-IB-TLV-1", None, "No dated data yet")
    assert [entry.expired(date(2027, 1, 31)), entry.expired(date(2027, 2, 1))] == [False, True]


@pytest.mark.parametrize(
    ("change", "line", "key", "expected"),
    [
        (("reason", "raeson"), 7, "excuse.1.reason", "missing; this key is required"),
        (("2027-01-31", '"soon"'), 10, "excuse.1.expires", "valid date"),
        (('"No dated data yet"', '" "'), 9, "excuse.1.reason", "empty; fill it in"),
        (("expires = 2027-01-31", "expires = 2027-01-31\nnote = 1"), 11, "excuse.1.note", "unknown key"),
    ],
)
def test_a_bad_excuse_names_file_line_and_key(tmp_path, change, line, key, expected):
    path = tmp_path / "excuses.toml"
    path.write_text(f"{EXCUSE}\n# the second\n{EXCUSE.replace(*change)}")
    with pytest.raises(UsageError) as caught:
        load_excuses(path)
    message = str(caught.value)
    assert message.startswith(f"{path}, line {line}, key {key}: ")
    assert expected in message
    assert "\n" not in message


def test_a_bad_sha256_is_refused(attestations):
    attestations.write_text(ATTESTATION.replace('sha256 = "', 'sha256 = "zz'))
    with pytest.raises(UsageError, match=r"line 9, key attestation\.0\.sha256"):
        load_attestations(attestations)


def test_a_misspelt_table_is_refused(tmp_path):
    path = tmp_path / "excuses.toml"
    path.write_text(EXCUSE.replace("[[excuse]]", "[[excuses]]"))
    with pytest.raises(UsageError, match=r"key excuses: unknown key"):
        load_excuses(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"[[excuse", "not valid TOML"), (b"\xff\xfe", "not UTF-8 text"), (None, "No such file or directory")],
)
def test_a_file_that_cannot_be_read_is_a_usage_error_of_one_line(tmp_path, content, expected):
    path = tmp_path / "excuses.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load_excuses(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
