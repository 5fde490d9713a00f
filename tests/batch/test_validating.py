"""validate: where documents are looked for, what is written, and the exit codes."""

from __future__ import annotations

import io
import json
import os
import zipfile
from types import SimpleNamespace

import pytest

from onc_conformance import batch, judging
from onc_conformance.findings import UsageError
from onc_conformance.reference import ccd, charts

PATIENTS = """
[[patient]]
id = "ann"
name = { family = "Lee", given = ["Ann"] }
birth_date = "1970-05-01"
sex = "female"
[[patient.problems]]
code = { system = "snomed", code = "59621000" }
start = "2011-10-05"
[[patient]]
id = "zoe"
name = { family = "Ray", given = ["Zoe"] }
birth_date = "1980-01-01"
sex = "female"
[[patient.problems]]
code = { system = "snomed", code = "40930008" }
start = "2006-12-31"
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A patients file of two, and the documents of both."""
    folder = tmp_path_factory.mktemp("patients")
    file = folder / "patients.toml"
    file.write_text(PATIENTS, encoding="utf-8")
    ann, zoe = (ccd.document(chart, document_id="1") for chart in charts.load([file]))
    alone = folder / "ann.toml"
    alone.write_text(PATIENTS.partition('[[patient]]\nid = "zoe"')[0], encoding="utf-8")
    return SimpleNamespace(patients=file, alone=alone, ann=ann, zoe=zoe)


def zipped(**members):
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return inside.getvalue()


def run(*paths, **what):
    out = io.StringIO()
    code = batch.validate(paths, **{"edition": "uscdi-v3", "form": "json", "out": out, **what})
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_files_folders_and_zips_are_searched(tmp_path, written):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "B.XML").write_bytes(written.zoe)
    (tmp_path / "deep" / "a.xml").write_bytes(written.ann)
    (tmp_path / "deep" / "notes.txt").write_bytes(b"no")
    (tmp_path / "more.zip").write_bytes(zipped(c__xml=written.ann, d__zip=zipped(e__xml=written.zoe), f__txt="no"))
    (tmp_path / "any.name").write_bytes(written.ann)
    code, told = run(tmp_path / "deep", tmp_path / "more.zip", tmp_path / "any.name")
    assert code == 0
    assert [each["path"].removeprefix(f"{tmp_path}/") for each in told] == [
        "deep/a.xml",
        "deep/er/B.XML",
        "more.zip!c.xml",
        "more.zip!d.zip!e.xml",
        "any.name",
    ]
    assert {each["verdict"] for each in told} == {"pass"}


def test_standard_input_is_a_document_or_a_zip(monkeypatch, written):
    for data, path in ((written.ann, "-"), (zipped(a__xml=written.ann), "-!a.xml")):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
        code, [told] = run("-")
        assert (code, told["path"], told["verdict"]) == (0, path, "pass")


def test_one_bad_document_leaves_the_rest_judged(tmp_path, written):
    (tmp_path / "a.xml").write_bytes(b"<html/>")
    (tmp_path / "b.xml").write_bytes(written.ann)
    (tmp_path / "c.xml").write_bytes(b"<a>" * 60_000)
    code, told = run(tmp_path)
    assert code == 1
    assert [each["verdict"] for each in told] == ["fail", "pass", "fail"]
    assert [told[n]["findings"][0]["rule"] for n in (0, 2)] == ["XML-HTML", "XML-LIMIT"]
    assert all(list(each) == list(told[0]) for each in told)
    assert told[0]["seconds"]["content"] is None


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"PK\x03\x04 damaged", "ZIP-UNREADABLE"),
        (zipped(a__txt="no document"), "ZIP-EMPTY"),
        (zipped(a__xml=b" " * 5_000_000), "ZIP-LIMIT"),
    ],
)
def test_a_bad_zip_is_a_finding(tmp_path, data, rule, written):
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "b.xml").write_bytes(written.ann)
    code, told = run(tmp_path / "a.zip", tmp_path / "b.xml")
    assert code == 1
    assert [finding["rule"] for finding in told[0]["findings"]] == [rule]
    assert str(tmp_path / "a.zip") in told[0]["findings"][0]["message"]
    assert told[1]["verdict"] == "pass"


def test_zips_are_opened_only_so_deep(tmp_path, written):
    data = zipped(a__xml=written.ann)
    for _ in range(batch.MAX_DEPTH):
        data = zipped(in__zip=data)
    (tmp_path / "deep.zip").write_bytes(data)
    code, [told] = run(tmp_path / "deep.zip")
    assert (code, told["findings"][0]["rule"]) == (1, "ZIP-DEPTH")


def test_a_damaged_or_locked_member_is_a_finding(tmp_path, written):
    whole = bytearray(zipped(a__xml=written.ann, b__xml=written.zoe))
    whole[60:90] = b"\xff" * 30
    (tmp_path / "a.zip").write_bytes(whole)
    code, told = run(tmp_path / "a.zip")
    assert code == 1
    assert [each["verdict"] for each in told] == ["fail", "pass"]
    assert told[0]["findings"][0]["rule"] == "ZIP-UNREADABLE"


def test_a_path_that_holds_nothing_is_wrong_usage(tmp_path):
    (tmp_path / "a.txt").write_text("no")
    for paths, said in (
        ([tmp_path / "none.xml"], "no such file or folder"),
        ([tmp_path], "no document is in this folder"),
        ([], "nothing to validate"),
    ):
        with pytest.raises(UsageError, match=said):
            run(*paths)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"first": "22.6.2015"}, "--from 22.6.2015: is no ISO date"),
        ({"last": "2015-02-30"}, "--to 2015-02-30: is no ISO date"),
        ({"first": "2016", "last": "2015"}, "--from 2016 is after --to 2015"),
    ],
)
def test_a_window_that_is_none_is_wrong_usage(written, what, said):
    with pytest.raises(UsageError, match=said):
        batch.expectation("uscdi-v3", written.alone, **what)


def test_a_window_needs_an_expected_record():
    with pytest.raises(UsageError, match="name it with --expected FILE"):
        batch.expectation("uscdi-v3", None, "2015", None)


def test_one_expected_patient_is_everybodys(tmp_path, written):
    (tmp_path / "a.xml").write_bytes(written.ann)
    (tmp_path / "z.xml").write_bytes(written.zoe)
    code, told = run(tmp_path, expected=written.alone)
    assert code == 1
    assert [each["verdict"] for each in told] == ["pass", "fail"]
    assert "IDENTITY" in {each["rule"] for each in told[1]["findings"]}
    assert run(tmp_path / "a.xml", expected=written.alone, first="2006", last="2007")[0] == 1
    assert run(tmp_path / "a.xml", expected=written.alone, first="2011", last="2011")[0] == 0


def test_of_several_expected_patients_the_document_chooses(tmp_path, written):
    (tmp_path / "a.xml").write_bytes(written.ann)
    (tmp_path / "n.xml").write_bytes(written.zoe.replace(b">Ray<", b">Roy<"))
    (tmp_path / "z.xml").write_bytes(written.zoe)
    code, told = run(tmp_path, expected=written.patients)
    assert code == 1
    assert [each["verdict"] for each in told] == ["pass", "fail", "pass"]
    assert told[1]["findings"][-1]["message"] == "the document is of none of the expected patients"


def test_a_fault_of_ours_is_told_as_one(tmp_path, monkeypatch, written):
    (tmp_path / "a.xml").write_bytes(written.ann)
    (tmp_path / "b.xml").write_bytes(written.zoe)
    real = judging.judge

    def breaks(data, *rest, **what):
        if data == written.ann:
            raise ZeroDivisionError
        return real(data, *rest, **what)

    monkeypatch.setattr(judging, "judge", breaks)
    code, told = run(tmp_path)
    assert code == 4
    assert [each["verdict"] for each in told] == ["error", "pass"]
    assert told[0]["findings"][0]["rule"] == "TOOL-FAULT"


def test_processes_tell_what_one_tells(tmp_path, written):
    for n in range(6):
        (tmp_path / f"{n}.xml").write_bytes(written.ann if n % 3 else b"<html/>")
    alone, side_by_side = (run(tmp_path, expected=written.patients, jobs=jobs) for jobs in (1, 2))
    for each in (*alone[1], *side_by_side[1]):
        each.pop("seconds")
    assert alone == side_by_side
    assert alone[0] == 1


def test_what_is_not_judged_is_counted_and_told(tmp_path, written, capsys):
    (tmp_path / "d.zip").write_bytes(zipped(a__xml=written.ann))
    with pytest.raises(UsageError, match=r"no document is in this folder; .*; 1 \*\.zip in folders was left out"):
        run(tmp_path)
    (tmp_path / "a.xml").write_bytes(written.ann)
    code, told = run(tmp_path)
    assert (code, len(told)) == (0, 1)
    assert "1 *.zip in folders was left out" in capsys.readouterr().err


def test_litter_of_other_programs_is_no_document(tmp_path, written):
    (tmp_path / "a.xml").write_bytes(written.ann)
    (tmp_path / "._a.xml").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / ".#a.xml").symlink_to("someone@somewhere")
    assert [each["verdict"] for each in run(tmp_path)[1]] == ["pass"]
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w") as archive:
        archive.writestr("a.xml", written.ann)
        archive.writestr("__MACOSX/._a.xml", b"\x00\x05\x16\x07")
    (tmp_path / "a.zip").write_bytes(inside.getvalue())
    assert [each["path"] for each in run(tmp_path / "a.zip")[1]] == [f"{tmp_path}/a.zip!a.xml"]


def test_a_zip_that_comes_as_a_stream_is_opened(tmp_path, monkeypatch, written):
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(zipped(a__xml=b"<html/>"))
    with os.fdopen(reading, "rb") as stream:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stream))
        code, [told] = run("-")
        assert not stream.closed
    assert (code, told["path"], told["findings"][0]["rule"]) == (1, "-!a.xml", "XML-HTML")


def test_a_name_that_is_no_text_is_told_all_the_same(tmp_path, written):
    path = os.fsencode(tmp_path) + b"/a\xff\x1b[31m.xml"
    os.close(os.open(path, os.O_CREAT))
    assert run(tmp_path)[1][0]["path"] == os.fsdecode(path)
    for form in ("text", "sarif"):
        out = io.StringIO()
        batch.validate([tmp_path], edition="uscdi-v3", form=form, out=out)
        told = out.getvalue()
        assert told.encode("utf-8")
        assert "\x1b" not in told


def test_an_unreadable_folder_leaves_the_rest_judged(tmp_path, monkeypatch, written):
    (tmp_path / "a.xml").write_bytes(written.ann)
    (tmp_path / "shut").mkdir()
    real = os.scandir

    def scandir(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("onc_conformance.batch.sources.os.scandir", scandir)
    code, told = run(tmp_path)
    assert (code, [each["verdict"] for each in told]) == (1, ["pass", "fail"])
    assert told[1]["findings"][0]["message"] == f"it cannot be read: Permission denied ({tmp_path}/shut)"


def test_zips_in_a_zip_inflate_to_so_much_together(tmp_path, monkeypatch, written):
    monkeypatch.setattr("onc_conformance.batch.archives.MAX_BYTES", 1_000_000)
    monkeypatch.setattr("onc_conformance.batch.archives.MAX_RATIO", 20)
    noise = os.urandom(5_000)  # the same in each, so that the outer zip is small
    inner = zipped(**{f"a{n}__xml": noise + b" " * 90_000 for n in range(9)})
    (tmp_path / "a.zip").write_bytes(zipped(a__zip=inner, b__zip=inner, c__zip=inner))
    code, told = run(tmp_path / "a.zip")
    assert code == 1
    assert {each["findings"][0]["rule"] for each in told[:9]} == {"XML-MALFORMED"}
    last = told[-1]["findings"][0]
    assert last["rule"] == "ZIP-LIMIT"
    assert "the zip inflates to more than" in last["message"]
    assert len(told) < 3 * 9 + 2


def test_a_list_of_members_without_end_is_not_read(tmp_path):
    data = bytearray(zipped(a__xml=b"<a/>"))
    at = data.rfind(b"PK\x05\x06")
    data[at + 12 : at + 16] = (1 << 30).to_bytes(4, "little")
    (tmp_path / "a.zip").write_bytes(data)
    code, [told] = run(tmp_path / "a.zip")
    assert (code, told["findings"][0]["rule"]) == (1, "ZIP-LIMIT")
    assert "takes 1073741824 bytes" in told["findings"][0]["message"]


def test_what_was_gathered_is_written_when_it_is_interrupted(tmp_path, monkeypatch, written):
    for name in "abc":
        (tmp_path / f"{name}.xml").write_bytes(written.ann)
    real, judged = judging.judge, []

    def interrupted(data, *rest, path, **what):
        if len(judged) == 2:
            raise KeyboardInterrupt
        judged.append(path)
        return real(data, *rest, path=path, **what)

    monkeypatch.setattr(judging, "judge", interrupted)
    for form, ended in (("text", "; interrupted\n"), ("json", "}\n"), ("sarif", "}]}\n")):
        out = io.StringIO()
        with pytest.raises(KeyboardInterrupt):
            batch.validate([tmp_path], edition="uscdi-v3", form=form, out=out)
        assert out.getvalue().endswith(ended)
        if form == "sarif":
            [log] = json.loads(out.getvalue())["runs"]
            assert log["invocations"][0]["executionSuccessful"] is False
        judged.clear()
