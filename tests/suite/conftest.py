"""What tests of whole runs share: a vendor of our own, its files, and the command."""

import json

import pytest
from tests.suite.vendor import DESCRIPTION, PASSWORD, PATIENTS, Vendor

from onc_conformance import cli


@pytest.fixture
def vendor():
    with Vendor() as running:
        yield running


class Command:
    """`onc-conformance` typed in an empty folder, against the vendor of our own."""

    def __init__(self, folder, vendor, monkeypatch, capfd):
        self.folder, self.capfd = folder, capfd
        monkeypatch.chdir(folder)
        monkeypatch.setenv("ACME_URL", vendor.url)
        monkeypatch.setenv("ACME_PASS", PASSWORD)
        (folder / "acme.toml").write_text(DESCRIPTION, encoding="utf-8")
        (folder / "patients.toml").write_text(PATIENTS, encoding="utf-8")

    def __call__(self, *arguments):
        self.capfd.readouterr()
        code = cli.main(list(arguments))
        said = self.capfd.readouterr()
        return code, said.out, said.err

    def run(self, *more):
        return self("run", "--target", "acme.toml", "--patients", "patients.toml", *more)

    def results(self):
        return json.loads((self.folder / "reports" / "latest" / "results.json").read_text(encoding="utf-8"))

    def outcomes(self):
        return {step["id"]: step["outcome"] for step in self.results()["steps"]}

    def findings(self, step):
        (found,) = (each for each in self.results()["steps"] if each["id"] == step)
        return found["findings"]


@pytest.fixture
def command(tmp_path, vendor, monkeypatch, capfd):
    return Command(tmp_path, vendor, monkeypatch, capfd)
