"""The data elements on documents that are not ours, and against the counts of whoever looked at them before.

`python tests/oracles/test_uscdi_corpus.py [EDITION]` writes the coverage table: document x data class, each with the
numbers of its elements that are present / reasoned / absent.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections import Counter
from pathlib import Path

import pytest
import yaml

from onc_conformance import judging, procedure, uscdi
from onc_conformance.ccda.held import holds
from onc_conformance.findings import Layer, Severity
from onc_conformance.judging import State

SHARED = Path(__file__).parents[3] / "shared"
INDEX = [json.loads(line) for line in (SHARED / "corpus" / "index.jsonl").read_text(encoding="utf-8").splitlines()]
TABLE = SHARED / "procedures" / "uscdi.yaml"
# Where a section of silence, or a patient who lives, explains more than the counts know
DENIALS = ("negated", "said to be none")
EXPLAINED = (*DENIALS, "the patient is said to be alive", "every problem goes on")


def document(entry):
    return judging.read((SHARED / "corpus" / "documents" / entry["file"]).read_bytes())


@pytest.fixture(scope="module")
def readable():
    """The 113 documents of the corpus that the counts are of."""
    return {entry["file"]: document(entry) for entry in INDEX if entry["xsd_valid"] is not None}


@pytest.fixture(scope="module")
def told():
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(TABLE.read_text(encoding="utf-8"), Loader=loader)


@pytest.fixture(scope="module")
def rows(readable):
    """(file, element) -> (row, whether a value is there, denied or not), the elements of all versions."""
    found = {}
    for data in map(uscdi.data_set, ("v5", "v4", "v3", "v1")):
        for name, doc in readable.items():
            coverage = judging.Coverage(doc, data)
            for element, row in zip(data.elements, coverage.rows, strict=True):
                has_value = any(holds(held, node) for held, node in coverage.at(element.places))
                found.setdefault((name, row.id), (row, has_value))
    return found


@pytest.mark.parametrize("edition", procedure.editions())
def test_no_document_is_too_odd(edition):
    for entry in INDEX:
        doc = document(entry)
        covered = judging.coverage(doc, edition)
        assert len(covered) == (len(uscdi.of_edition(edition).elements) if doc.root is not None else 0)
        for finding in judging.data_elements(doc, edition, silences=True):
            assert finding.layer is Layer.XML or finding.path
            assert "\n" not in finding.message


def test_the_counts_of_present_elements_agree(readable, rows, told):
    """To the document; where those counts see a value that its own entry denies, the state here is a reason."""
    assert len(readable) == 113
    agreed = {}
    for element in told["elements"]:
        here = [rows[name, element["id"]] for name in readable if (name, element["id"]) in rows]
        assert all(has_value for row, has_value in here if row.state is State.PRESENT)
        assert all(row.why in DENIALS for row, has_value in here if has_value and row.state is not State.PRESENT)
        agreed[element["id"]] = (element["ccda"]["vendor_docs_with_hit"], sum(has_value for _, has_value in here))
    assert {element: counts for element, counts in agreed.items() if counts[0] != counts[1]} == {}
    assert len(agreed) == 134


def test_the_counts_of_reasons_agree_where_only_null_flavors_count(readable, rows, told):
    """Reasons beyond those counts are words, negations and what the rules add; none of theirs is lost."""
    for element in told["elements"]:
        here = [rows[name, element["id"]][0] for name in readable if (name, element["id"]) in rows]
        reasoned = [row for row in here if row.state is State.REASONED]
        assert all(row.why.startswith("null flavor") or row.why in EXPLAINED for row in reasoned)
        assert element["ccda"]["vendor_docs_with_null"] <= len(reasoned), element["id"]


def test_the_elements_derive_from_the_table():
    """The file in the tree is what the program makes of the table today."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
    try:
        import uscdi_facts
    finally:
        del sys.path[0]
    assert uscdi_facts.OUT.read_text(encoding="utf-8") == uscdi_facts.derived(str(TABLE))


@pytest.mark.parametrize("version", ["3.1.1", "6.1.0", "7.0.0", "8.0.0"])
def test_every_place_in_fhir_is_an_element_of_us_core(version):
    known = {}
    package = SHARED / "standards" / "us-core" / f"us_core_{version.replace('.', '')}.tgz"
    with tarfile.open(package) as files:
        for member in files:
            if member.name.startswith("package/StructureDefinition-"):
                profile = json.load(files.extractfile(member))
                known[profile["id"]] = {each["id"] for each in profile.get("snapshot", {}).get("element", ())}
    editions = {"3.1.1": "uscdi-v1", "6.1.0": "uscdi-v3", "7.0.0": "svap-uscdi-v4", "8.0.0": "svap-uscdi-v5"}
    places = {place for each in uscdi.of_edition(editions[version]).elements for place in each.fhir}
    assert len(places) > 40
    assert {place for place in places if place.path not in known.get(place.profile, ())} == set()


def test_the_common_clinical_data_set_is_the_list_of_its_categories(told):
    listed = [each["uscdi_v1_elements"] for each in told["ccds"]["categories"]]
    ours = [list(each.elements) for each in uscdi.categories().values() if each.ccds]
    assert sorted(ours) == sorted(listed)


def test_certified_documents_of_todays_edition_are_not_failed_for_what_they_state():
    """ONC's own summary for USCDI v3 has what is always demanded, and every code in a system it may use."""
    path = SHARED / "testdata" / "uscdi-v3" / "170.315_b1_toc_amb_ccd_r21_svap_uscdiv3_sample1_v1.xml"
    found = judging.data_elements(judging.read(path.read_bytes()), "uscdi-v3", silences=True)
    assert [each for each in found if each.severity is Severity.ERROR] == []


def table(edition):
    """Lines of the coverage table, tab-separated."""
    classes = list(dict.fromkeys(each.data_class for each in uscdi.of_edition(edition).elements))
    yield "\t".join(["document", *classes])
    for entry in INDEX:
        counts = {name: Counter() for name in classes}
        for row in judging.coverage(document(entry), edition):
            counts[row.data_class][row.state] += 1
        yield "\t".join([entry["file"], *("/".join(str(count[state]) for state in State) for count in counts.values())])


if __name__ == "__main__":
    for line in table(sys.argv[1] if len(sys.argv) > 1 else "uscdi-v3"):
        sys.stdout.write(line + "\n")
