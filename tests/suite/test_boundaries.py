"""The boundary table for one patient with three hundred facts: every answer as asked passes, every other one shows."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from onc_conformance import record, suite, windows

HARNESS = Path(__file__).parents[2] / "tools" / "boundaries.py"
PATIENTS = suite.schemas() / "patients" / "reference-long.toml"
EVERY = int(os.environ.get("ONC_BOUNDARIES_EVERY", "47"))
"""One window in so many; 1 for all."""


@pytest.fixture(scope="module")
def boundaries():
    spec = importlib.util.spec_from_file_location("boundaries", HARNESS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_fact_with_an_exact_day_has_five_windows():
    [person] = record.load(PATIENTS)
    listed = list(windows.boundaries(person))
    exact = [fact for fact in windows.dated(person) if windows.exact_days([fact])]
    assert len(listed) == 5 * len(exact) >= 1400
    for each in listed:
        inside = any(days.standing(each.window) == "in" for days in each.fact.stated)
        assert inside == (each.name in {"the day itself", "the exact range"})


def test_answers_as_asked_are_beyond_reproach_and_others_are_not(boundaries):
    ways = (boundaries.HONEST, "document-day-early", "document-end-exclusive", "document-start-exclusive")
    counted = boundaries.table(PATIENTS, "long", ways, EVERY, (0, 1))
    honest = {row: count for (row, objected), count in counted.items() if row[1] == boundaries.HONEST and objected}
    assert honest == {}
    for name, way in {row for row, _ in counted}:
        if way != boundaries.HONEST and name in {"the day itself", "the exact range"}:
            assert counted[(name, way), True] > 0, f"{way} does not show on {name}"


def test_the_table_can_be_read():
    tiny = suite.schemas() / "patients" / "tiny.toml"
    command = [sys.executable, str(HARNESS), str(tiny), "tiny-a", "--every", "9"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    assert printed[0].split() == ["window", "answered", "windows", "objected", "to"]
    assert printed[-1].endswith(" s")
