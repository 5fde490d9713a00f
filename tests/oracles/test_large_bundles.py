"""A Bundle of many real resources takes little more memory than it has bytes; `FHIR_LARGE=all` makes it 100 MB."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared"
PATIENT = SHARED / "fhir" / "us-core-patient-85.bundle.json"
BYTES = (100 if os.environ.get("FHIR_LARGE") == "all" else 12) * 1024 * 1024
REST = 90
"""Megabytes for the interpreter, the tables, and what stands beside the bytes: 100 MB stay below 200."""
FACTS = 2
"""Bytes beside each byte of a Bundle that is held against a record: its facts, not its resources."""
JUDGE = """
import io, sys
from pathlib import Path
from onc_conformance import batch
out = io.StringIO()
expected = sys.argv[2] if len(sys.argv) > 2 else None
code = batch.validate([sys.argv[1]], edition="uscdi-v3", form="json", out=out, expected=expected)
# ru_maxrss would count what the process that started this one had in memory
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(code, int(peak.split()[1]) // 1024, len(out.getvalue().splitlines()))
"""


@pytest.mark.parametrize(("against", "facts"), [([], 0), ([PATIENT], FACTS)], ids=["alone", "expected"])
def test_memory_holds_the_bytes_once_and_few_entries(tmp_path, against, facts):
    entries = [json.dumps(each).encode() for each in json.loads(PATIENT.read_text(encoding="utf-8"))["entry"]]
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.write(b'{"resourceType": "Bundle", "type": "collection", "entry": [' + entries[0])
        size = number = 1
        while size < BYTES:
            file.write(b"," + entries[number % len(entries)])
            size += len(entries[number % len(entries)])
            number += 1
        file.write(b"]}")
    told = subprocess.run([sys.executable, "-c", JUDGE, path, *against], capture_output=True, check=True, text=True)
    code, megabytes, documents = map(int, told.stdout.split())
    sys.stdout.write(f"{path.stat().st_size / 1e6:.0f} MB, {number} entries: {megabytes} MB\n")
    assert (code, documents) == (1, 1)  # each fullUrl is there many times
    assert megabytes <= path.stat().st_size // (1024 * 1024) * (1 + facts) + REST
