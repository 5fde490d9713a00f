"""`validate` of one document loads what it needs and no more: every heavy package is a tenth of a second or worse."""

import os
import subprocess
import sys

import pytest

from onc_conformance import suite
from onc_conformance.reference import ccd, charts

HEAVY = {
    "allure", "allure_commons", "attr", "concurrent.futures", "distributed", "flask", "jinja2", "joserfc", "jsonpath",
    "multiprocessing", "pydantic", "pytest", "requests", "rich", "xmlschema",
}  # fmt: skip
SCRIPT = """
import sys
from onc_conformance import cli
cli.main(sys.argv[1:])
sys.stderr.write(" ".join(sys.modules))
"""


@pytest.mark.parametrize("kind", ["nothing", "document"])
def test_validate_loads_nothing_heavy(tmp_path, kind):
    chart = charts.load([suite.schemas() / "patients" / "tiny.toml"])[0]
    (tmp_path / "a.xml").write_bytes(ccd.document(chart, document_id="1") if kind == "document" else b"<a/>")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "validate", "--format", "json", str(tmp_path / "a.xml")],
        env={**os.environ, "PYTHONPATH": str(suite.PACKAGE.parent)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "lxml.etree" in done.stderr
    assert HEAVY.intersection(done.stderr.split()) == set()
