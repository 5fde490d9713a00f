"""`validate` as it is typed, on what is no document, in memory that is bounded: the exit code and what is said."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress

import pytest

from onc_conformance import suite
from onc_conformance.reference import ccd, charts

MEGABYTES = 300
"""What a process may take on anything at all."""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(suite.PACKAGE.parent)}


@pytest.fixture(scope="module")
def good():
    return ccd.document(charts.load([suite.schemas() / "patients" / "tiny.toml"])[0], document_id="1")


def start(*arguments, **how):
    return subprocess.Popen([sys.executable, "-m", "onc_conformance", "validate", *arguments], env=ENVIRONMENT, **how)


MEASURED = """
import sys
from onc_conformance import cli
code = cli.main(sys.argv[1:])
sys.stdout.flush()
with open("/proc/self/status") as status:
    sys.stderr.write(next(line for line in status if line.startswith("VmHWM")))
sys.exit(code)
"""
"""The command, and the most memory it took; what the system tells of a child includes what its parent had."""


def validate(*arguments):
    """(exit code, documents, standard error, most memory in MB)."""
    command = [sys.executable, "-c", MEASURED, "validate", "--format", "json", *map(str, arguments)]
    finished = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=120, check=False)
    err, _, memory = finished.stderr.decode().rpartition("VmHWM:")
    told = [json.loads(line) for line in finished.stdout.splitlines()]
    return finished.returncode, told, err, int(memory.split()[0]) / 1024


def within(good, more):
    return good.replace(b"</ClinicalDocument>", more + b"</ClinicalDocument>")


def after_declaration(good, more):
    end = good.index(b"?>") + 2
    return good[:end] + more + good[end:]


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%s]>' % b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)
BAD = {
    "not-xml": (lambda _: b"%PDF-1.7 and so on", "XML-MALFORMED", 1),
    "not-cda": (lambda _: b"<?xml version='1.0'?>\n<note/>", "XML-NOT-CCDA", 2),
    "html": (lambda _: b"\n<!DOCTYPE html><html/>", "XML-HTML", 2),
    "empty": (lambda _: b"", "XML-EMPTY", 1),
    "truncated": (lambda good: good[: len(good) // 2], "XML-MALFORMED", None),
    "wrong-encoding": (lambda good: good.replace(b"<title>", b"<title>\xe4", 1), "XML-ENCODING", None),
    "wide-encoding": (lambda good: good.replace(b"UTF-8", b"UTF-16", 1), "XML-ENCODING", 1),
    "external-entity": (
        lambda good: after_declaration(good, b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
        "XML-ENTITY",
        1,
    ),
    "entity-bomb": (lambda good: after_declaration(good, ENTITIES), "XML-ENTITY", 1),
    "external-dtd": (
        lambda good: after_declaration(good, b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd" [<!ENTITY % p "x">]>'),
        "XML-ENTITY",
        1,
    ),
    "deep": (lambda good: within(good, b"<a>" * 60_000 + b"</a>" * 60_000), "XML-LIMIT", None),
    "wide": (lambda good: within(good, b"<a/>" * 10_000_000), "XML-LIMIT", 1),
    "attributes": (lambda good: within(good, b'<a b="" c=""/>' * 4_000_000), "XML-LIMIT", 1),
    "long-text": (lambda good: within(good, b"<a>" + b"x" * 11_000_000 + b"</a>"), "XML-LIMIT", None),
    "too-large": (lambda good: good + b"\n" * 200_000_000, "XML-TOO-LARGE", None),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_document_is_a_located_finding_and_the_others_are_judged(tmp_path, good, name):
    make, rule, line = BAD[name]
    (tmp_path / "a.xml").write_bytes(make(good))
    (tmp_path / "b.xml").write_bytes(good)
    code, [bad, other], err, memory = validate(tmp_path)
    assert (code, err) == (1, "")
    assert bad["verdict"] == "fail"
    [finding] = [each for each in bad["findings"] if each["layer"] == "xml"]
    assert finding["rule"] == rule
    assert "\n" not in finding["message"]
    assert "root:" not in finding["message"]
    assert finding["line"] == (line or finding["line"])
    assert finding["line"] or finding["message"].endswith("a.xml)")
    assert other["verdict"] == "pass"
    assert memory < MEGABYTES


def test_many_names_never_seen_before_do_not_stay_in_memory(tmp_path, good):
    for n in range(8):
        names = b"".join(b"<%s%d-%d/>" % (b"n" * 10_000, n, each) for each in range(4_000))
        (tmp_path / f"{n}.xml").write_bytes(b"<x>" + names + b"</x>")
    (tmp_path / "z.xml").write_bytes(good)
    code, told, _, memory = validate(tmp_path)
    assert code == 1
    assert [each["findings"][0]["rule"] for each in told[:-1]] == ["XML-NOT-CCDA"] * 8
    assert told[-1]["verdict"] == "pass"
    assert memory < MEGABYTES


def zipped(**members):
    inside = io.BytesIO()
    with zipfile.ZipFile(inside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.{'zip' if data[:2] == b'PK' else 'xml'}", data)
    return inside.getvalue()


def test_a_bomb_in_a_zip_does_not_go_off(tmp_path, good):
    bomb = zipped(**{f"a{n}": b" " * 40_000_000 for n in range(8)})
    (tmp_path / "a.zip").write_bytes(zipped(bomb=zipped(bomb=bomb), good=good))
    (tmp_path / "b.xml").write_bytes(good)
    code, told, err, memory = validate(tmp_path / "a.zip", tmp_path / "b.xml")
    assert (code, err) == (1, "")
    assert told[-1]["verdict"] == "pass"
    assert {each["findings"][0]["rule"] for each in told if each["verdict"] == "fail"} == {"ZIP-LIMIT"}
    assert memory < MEGABYTES


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path, good):
    """The memory of a process cannot be read from its beginning, whoever asks."""
    (tmp_path / "a.xml").symlink_to("/proc/self/mem")
    (tmp_path / "b.xml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "c.xml").write_bytes(good)
    code, told, err, _ = validate(tmp_path)
    assert (code, err) == (1, "")
    assert [each["verdict"] for each in told] == ["fail", "fail", "pass"]
    assert [each["findings"][0]["rule"] for each in told[:2]] == ["XML-UNREADABLE"] * 2
    assert str(tmp_path / "a.xml") in told[0]["findings"][0]["message"]


@pytest.mark.parametrize("inside", [(), ("notes.txt",)])
def test_a_folder_without_a_document_is_one_line(tmp_path, inside):
    for name in inside:
        (tmp_path / name).write_bytes(b"")
    code, told, err, _ = validate(tmp_path)
    assert (code, told) == (2, [])
    assert err.startswith(f"onc-conformance: {tmp_path}: no document is in this folder")
    assert err.count("\n") == 1


def test_a_batch_that_is_interrupted_writes_what_it_gathered(tmp_path, good):
    for n in range(400):
        (tmp_path / f"{n:03}.xml").write_bytes(good)
    for jobs in ("1", "2"):
        running = start("--jobs", jobs, *[str(tmp_path)] * 20, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = running.stdout.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        assert running.returncode == 130, err
        assert err == b"onc-conformance: interrupted\n"
        assert first.startswith(bytes(tmp_path))
        last = out.decode().splitlines()[-1]
        assert last.endswith("; interrupted")
        assert int(last.split()[0]) == out.count(b": pass ") + 1


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_reader_that_has_seen_enough_is_no_trouble(tmp_path, good, jobs):
    for n in range(400):
        (tmp_path / f"{n:03}.xml").write_bytes(good)
    running = start("--jobs", jobs, *[str(tmp_path)] * 20, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout.readline()
    running.stdout.close()
    assert running.stderr.read() == b""
    assert running.wait(60) == 0


def on_a_terminal(arguments, shown_on, **environment):
    """What a terminal shows of a command, and what its other stream, if it has one, holds."""
    ours, theirs = pty.openpty()
    surroundings = {**ENVIRONMENT, "TERM": "xterm", **environment}
    command = [sys.executable, "-m", "onc_conformance", "validate", *map(str, arguments)]
    shown = b""
    with tempfile.TemporaryFile() as other:
        streams = {"stdout": other, "stderr": other, **dict.fromkeys(shown_on, theirs)}
        running = subprocess.Popen(command, env=surroundings, **streams)
        os.close(theirs)
        with suppress(OSError):  # nobody writes to it any more
            while more := os.read(ours, 65536):
                shown += more
        running.wait(60)
        os.close(ours)
        other.seek(0)
        return shown.decode().replace("\r\n", "\n"), other.read().decode()


def test_a_terminal_gets_colour_unless_it_is_unwanted(tmp_path, good):
    (tmp_path / "a.xml").write_bytes(good)
    (tmp_path / "b.xml").write_bytes(b"")
    plain = validate_as_text(tmp_path)
    shown, _ = on_a_terminal([tmp_path], ["stdout"], NO_COLOR="")
    assert "\x1b[1;31m" in shown
    assert on_a_terminal([tmp_path], ["stdout"], NO_COLOR="1")[0] == plain
    assert on_a_terminal([tmp_path], ["stdout"], TERM="dumb", NO_COLOR="")[0] == plain


def validate_as_text(*paths):
    running = start(*map(str, paths), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = running.communicate(timeout=60)
    assert err == b""
    return out.decode()


def test_progress_is_for_a_terminal_and_leaves_nothing_there(tmp_path, good):
    for name in "abc":
        (tmp_path / f"{name}.xml").write_bytes(good)
    shown, piped = on_a_terminal([tmp_path], ["stderr"])
    assert piped == validate_as_text(tmp_path)
    assert "[######..............] 1/3" in shown
    assert shown.endswith("\r\x1b[K")
    both, _ = on_a_terminal([tmp_path], ["stdout", "stderr"], NO_COLOR="1")
    assert both.rpartition("\x1b[K")[2].endswith(piped.splitlines()[-1] + "\n")
