"""attestations.toml: what is still to be signed for, ready to be filled in."""

import hashlib
import tomllib

import pytest

from onc_conformance.findings import UsageError
from onc_conformance.gate import load_attestations
from onc_conformance.report import attesting


def test_the_template_has_an_entry_for_each_step_and_target_without_a_signature(written):
    entries = tomllib.loads((written / "attestations.toml").read_text("utf-8"))["attestation"]
    assert [(each["step"], each["target"]) for each in entries] == [
        ("G7-IIA1-TLV-1", "acme"), ("G7-IIA1-TLV-1", "brand"), ("G7-IIA2-TLV-1", "brand"),
    ]  # fmt: skip


def test_it_says_what_each_step_asks_for(written):
    assert "What G7-IIA2-TLV-1 asks for." in (written / "attestations.toml").read_text("utf-8")


def test_left_as_it_is_it_is_refused_with_the_place_to_fill_in(written):
    with pytest.raises(UsageError, match=r"line \d+, key attestation\.0\.who"):
        load_attestations(written / "attestations.toml")


def test_filled_in_it_counts(run, tmp_path):
    (tmp_path / "seen.png").write_bytes(b"picture")
    digest = hashlib.sha256(b"picture").hexdigest()
    text = (
        attesting.render(run).replace('who = ""', 'who = "R. Proctor"').replace('sha256 = ""', f'sha256 = "{digest}"')
    )
    text = text.replace('statement = ""', 'statement = "Seen."').replace('evidence = ""', 'evidence = "seen.png"')
    (tmp_path / "filled.toml").write_text(text, "utf-8")
    entries = load_attestations(tmp_path / "filled.toml")
    assert [each.invalid(run.started.date()) for each in entries] == [None, None, None]


def test_nothing_to_attest_writes_nothing(run, tmp_path):
    class Done:
        settlement = type("Settled", (), {"unsigned": ()})

    attesting.write(Done(), tmp_path / "attestations.toml")
    assert not list(tmp_path.iterdir())


def test_the_dossier_lists_them_and_leads_to_the_file(written):
    page = (written / "dossier.html").read_text("utf-8")
    assert "Still to be attested" in page
    assert 'href="attestations.toml"' in page
