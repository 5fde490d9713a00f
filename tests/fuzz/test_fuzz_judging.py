"""Whatever comes, the judges answer: they never raise, they end, what they say has its form, and memory stays flat.

Twenty seconds by themselves; `ONC_FUZZ_SECONDS=600` for ten minutes. What made them fail is kept in a file that the
failure names; put it into `seeds/` and it is judged first ever after.
"""

import gc
import hashlib
import json
import os
import random
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.fuzz.mutations import OPERATIONS, spoilt

from onc_conformance import judging, procedure
from onc_conformance.batch import sarif, text, writers
from onc_conformance.findings import Layer, Severity

SEEDS = Path(__file__).parent / "seeds"
SECONDS = float(os.environ.get("ONC_FUZZ_SECONDS", "20"))
HANGS = 60
"""Seconds after which a document is said to hang; the slowest take one."""
GROWTH = 48 * 1024 * 1024
"""Bytes the process may grow by after it has warmed up: what an allocator keeps, not what a leak makes of hours."""
EDITIONS = tuple(procedure.editions())


class Hang(Exception):  # noqa: N818
    """A document was not judged in time."""


@contextmanager
def watched(data):
    """Nothing is raised here and nothing hangs; what does is kept in a file."""

    def ring(*_):
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(HANGS)
    try:
        yield
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):
            kept = Path(tempfile.gettempdir()) / f"onc-fuzz-{hashlib.sha256(data).hexdigest()[:12]}.bin"
            kept.write_bytes(data)
            error.add_note(f"the document is {kept}; put it into {SEEDS}")
        raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def judged(data, edition="uscdi-v3"):
    """The judgement, which has the form it promises in every format."""
    with watched(data):
        judgement = judging.judge(data, edition, path="x.xml")
        told = json.loads(writers.json_line(judgement)[0])
        assert told["verdict"] == ("fail" if any(each["severity"] == "error" for each in told["findings"]) else "pass")
        assert told["bytes"] == len(data)
        assert set(told["seconds"]) == {*judging.SECONDS, "total"}
        assert told["document_type"]
        for each in told["findings"]:
            assert Layer(each["layer"])
            assert Severity(each["severity"])
            assert each["rule"]
            assert each["message"].strip()
            assert "\n" not in each["message"]
            assert each["line"] is None or each["line"] >= 0
            assert each["xpath"] is None or each["xpath"].startswith("/")
        assert told["findings"] or told["document_type"] != "unreadable"
        assert text.plain(judgement)[0].endswith("\n")
        json.loads(f"[{sarif.results(judgement)[0]}]")
    return judgement


def resident():
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("seed", sorted(SEEDS.glob("*.bin")), ids=lambda path: path.stem)
def test_what_once_made_them_fail_is_judged(seed):
    judged(seed.read_bytes())


NUMBERS = st.integers(0, 2**20)
SPOILINGS = st.lists(st.tuples(st.integers(0, OPERATIONS - 1), NUMBERS, NUMBERS), min_size=1, max_size=8)


@settings(
    max_examples=max(30, int(4 * SECONDS)), derandomize=SECONDS <= 20, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(spoiling=SPOILINGS, which=st.integers(0, 7), other=st.integers(0, 7), edition=st.sampled_from(EDITIONS))
def test_a_spoilt_document_is_judged(documents, spoiling, which, other, edition):
    judged(spoilt(documents[which], documents[other], spoiling), edition)


@settings(max_examples=max(200, int(10 * SECONDS)), derandomize=SECONDS <= 20, database=None)
@given(st.binary(max_size=400))
@example(b"")
@example(b"\x00" * 7)
@example(b"\xef\xbb\xbf")
@example(b"<?xml?>")
@example(b"<ClinicalDocument xmlns='urn:hl7-org:v3'/>")
def test_bytes_that_are_nothing_are_judged(data):
    assert judged(data).verdict in {"pass", "fail"}


def test_the_same_document_is_judged_the_same_again(documents):
    draw = random.Random(7)
    for _ in range(8):
        data = spoilt(*draw.sample(documents, 2), _drawn(draw))
        assert judged(data).findings == judged(data).findings


def test_memory_stays_flat_over_spoilt_documents(documents):
    """As long as it is given; the seed is the time of day in a long run, so that each looks elsewhere."""
    draw = random.Random(1 if SECONDS <= 20 else time.time_ns())
    warm, many, size = None, 0, 0
    began = time.monotonic()
    while time.monotonic() < began + SECONDS or many < 20:
        data = spoilt(*draw.sample(documents, 2), _drawn(draw))
        judged(data, draw.choice(EDITIONS))
        many, size = many + 1, size + len(data)
        if warm is None and many >= 10 and time.monotonic() > began + SECONDS / 3:
            warm = resident()
    grown = resident() - (warm or resident())
    print(f"{many} documents, {size / 1e6:.0f} MB, {grown / 1e6:+.1f} MB in memory since a third of them")  # noqa: T201
    assert grown < GROWTH


def _drawn(draw):
    return [
        (draw.randrange(OPERATIONS), draw.randrange(2**20), draw.randrange(2**20)) for _ in range(draw.randint(1, 8))
    ]
