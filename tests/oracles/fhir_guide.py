"""A version of US Core as HL7 packs it, our tables of it, and resources that keep to each of its profiles."""

import json
import tarfile
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from onc_conformance import fhir, suite
from onc_conformance.fhir import tables
from onc_conformance.findings import Severity

SHARED = Path(__file__).parents[2].parent / "shared"
POOL = SHARED / "fhir" / "us-core-patient-85.bundle.json"
VERSIONS = ("3.1.1", "6.1.0", "7.0.0", "8.0.0")


@cache
def guide(version):
    return Guide(version)


@cache
def _pool():
    return [one for _, one in fhir.entries(json.loads(POOL.read_text()))]


@dataclass(frozen=True)
class Guide:
    version: str

    @property
    def package(self):
        return SHARED / "standards" / "us-core" / f"us_core_{self.version.replace('.', '')}.tgz"

    @cached_property
    def _packed(self):
        definitions, examples = {}, []
        with tarfile.open(self.package) as archive:
            for member in archive:
                name = member.name.removeprefix("package/")
                if name.startswith("StructureDefinition-") and name.endswith(".json"):
                    told = json.load(archive.extractfile(member))
                    definitions[told["url"]] = told
                elif name.startswith("example/") and name.endswith(".json"):
                    told = json.load(archive.extractfile(member))
                    if "resourceType" in told:
                        examples.append(told)
        return definitions, examples

    @property
    def definitions(self):
        return self._packed[0]

    @cached_property
    def tables(self):
        return tables.read(suite.schemas() / "us-core" / f"{self.version}.json")

    def errors(self, resource, profile, *severities, by=None):
        found = fhir.validate(resource, by or self.tables, [profile])
        return {(each.rule, each.path, each.found) for each in found if each.severity in (Severity.ERROR, *severities)}

    @cached_property
    def profiles(self):
        """The profiles of resources, by URL."""
        return {
            url: told
            for url, told in self.definitions.items()
            if told["kind"] == "resource" and told["type"] != "Extension"
        }

    @cached_property
    def subjects(self):
        """By profile, resources that keep to it, the richest first."""
        pool = [*self._packed[1], *_pool()]
        found = {}
        for url, told in self.profiles.items():
            able = []
            for each in pool:
                if each["resourceType"] != told["type"]:
                    continue
                named = self._lineage([name.partition("|")[0] for name in each.get("meta", {}).get("profile", ())])
                fits = url in named or (not named and any(one.url == url for one in fhir.profiles(each, self.tables)))
                if fits and not self.errors(each, url):
                    able.append(each)
            able.sort(key=lambda one: (-len(_keys(one)), -len(json.dumps(one)), one.get("id", "")))
            found[url] = able
        return found

    def _lineage(self, names):
        """The profiles of these names, and those they are profiles of."""
        above = [self.definitions[name]["baseDefinition"] for name in names if name in self.definitions]
        return [*names, *self._lineage(above)] if above else names


def _keys(value, at=""):
    if isinstance(value, dict):
        return {at, *(key for name, each in value.items() for key in _keys(each, f"{at}.{name}"))}
    return {key for each in value for key in _keys(each, at)} if isinstance(value, list) else {at}
