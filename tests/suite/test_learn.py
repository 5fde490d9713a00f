"""`run --learn`: what a system tells becomes a patients file by which the same system passes."""

from __future__ import annotations

import pytest
from tests.suite.vendor import PASSWORD

from onc_conformance import cli, record, suite
from onc_conformance.reference import ReferenceEHR

TINY = suite.schemas() / "patients" / "tiny.toml"
ALICE = suite.schemas() / "patients" / "onc-uscdi-v3" / "alice-newman.toml"


@pytest.fixture
def typed(tmp_path, monkeypatch, capfd):
    def command(*arguments):
        capfd.readouterr()
        code = cli.main(list(arguments))
        said = capfd.readouterr()
        return code, said.out, said.err

    monkeypatch.chdir(tmp_path)
    return command


@pytest.fixture
def ehr(tmp_path, monkeypatch):
    def start(patients):
        started = ReferenceEHR(patients=[patients], charts=None)
        started.__enter__()
        running.append(started)
        for name, value in started.env.items():
            monkeypatch.setenv(name, value)
        (tmp_path / "who.toml").write_text(started.patients_toml, encoding="utf-8")
        return started

    running: list[ReferenceEHR] = []
    yield start
    for each in running:
        each.__exit__(None, None, None)


@pytest.mark.parametrize("target", ["webchart", "ehryourway", "docref"])
@pytest.mark.parametrize("patients", [TINY, ALICE], ids=lambda path: path.stem)
def test_a_system_passes_by_what_it_told(typed, ehr, target, patients, tmp_path):
    started = ehr(patients)
    code, out, err = typed("run", "--target", target, "--patients", "who.toml", "--learn", "draft.toml")
    assert (code, out) == (0, ""), err
    learned = record.load(tmp_path / "draft.toml")
    assert [each.id for each in learned] == [each.id for each in record.load(patients)]
    assert all(f"{each.id}: {len(each.facts)} facts" in err for each in learned)
    text = (tmp_path / "draft.toml").read_text(encoding="utf-8")
    assert text.startswith("# What ")
    assert not any(value in text for name, value in started.env.items() if name.startswith(("WC_PASS", "EYW_PASS")))
    code, out, _ = typed(
        "run", "--target", target, "--patients", "draft.toml", "--tags", "not beyond",
        "--attestations", str(suite.schemas() / "attestations" / "reference.toml"),
    )  # fmt: skip
    assert code == 0, out


def test_nothing_is_overwritten(typed, ehr, tmp_path):
    ehr(TINY)
    (tmp_path / "draft.toml").write_text("mine", encoding="utf-8")
    code, _, err = typed("run", "--target", "webchart", "--patients", "who.toml", "--learn", "draft.toml")
    assert code == 2
    assert "draft.toml: is there already" in err
    assert (tmp_path / "draft.toml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "name it with --target"),
        (["--target", "webchart", "ehryourway"], "one target"),
        (["--target", "reference:webchart", "--fault", "fact-dropped"], "leave --replay and --fault out"),
    ],
)
def test_one_live_target_is_asked(typed, more, said):
    code, _, err = typed("run", *more, "--patients", str(TINY), "--learn", "draft.toml")
    assert code == 2
    assert said in err


def test_a_folder_that_is_not_there_is_named(typed, ehr):
    ehr(TINY)
    code, _, err = typed("run", "--target", "webchart", "--patients", "who.toml", "--learn", "no/draft.toml")
    assert code == 2
    assert "cannot be written: No such file" in err


def test_a_vendor_is_learned_and_its_secrets_are_not(command, tmp_path):
    patients = command.folder / "patients.toml"
    text = patients.read_text(encoding="utf-8")
    patients.write_text(text.replace("[[patient]]", f'[[patient]]\nvars = {{ ACME_PASS = "{PASSWORD}" }}', 1), "utf-8")
    code, _, err = command.run("--learn", "draft.toml")
    assert code == 1, err  # its document says who the patient is and nothing more
    draft = (command.folder / "draft.toml").read_text(encoding="utf-8")
    assert PASSWORD not in draft
    assert 'ACME_PASS = "{env.ACME_PASS}"' in draft
    assert [each.id for each in record.load(command.folder / "draft.toml")] == ["ada"]


def test_a_patient_of_whom_nothing_is_told_is_named(command, vendor):
    vendor.answers["ccd"] = (500, "text/plain", b"no")
    code, _, err = command.run("--learn", "draft.toml")
    assert code == 1
    assert "0 facts; no document could be read" in err
    assert "Nothing was told of: " in (command.folder / "draft.toml").read_text(encoding="utf-8")


def test_a_target_out_of_reach_is_said(command, monkeypatch):
    monkeypatch.setenv("ACME_URL", "http://no-such-host.invalid")
    code, _, err = command.run("--learn", "draft.toml")
    assert code == 3
    assert "acme: unreachable" in err
    assert not (command.folder / "draft.toml").exists()
