"""Resources that are right, each spoilt at one place: the judge must object there, whatever the profile and version.

`FHIR_MUTANTS=all` makes every mutant of every version; otherwise a fixed sample of them is judged.
"""

import json
import os
import re
import sys
from collections import Counter

import pytest
from tests.oracles.fhir_guide import VERSIONS, guide
from tests.oracles.fhir_spoiling import mutants

from onc_conformance import fhir
from onc_conformance.fhir import imports
from onc_conformance.fhirwork import ledger
from onc_conformance.findings import Severity

EVERY = os.environ.get("FHIR_MUTANTS") == "all"
EXAMPLES = dict.fromkeys(VERSIONS, 4) if EVERY else {"3.1.1": 1, "6.1.0": 4, "7.0.0": 1, "8.0.0": 1}
"""Resources spoilt per profile; those with most in them."""
SAMPLE = {"3.1.1": 300, "6.1.0": 1200, "7.0.0": 400, "8.0.0": 400}
KINDS = {
    "unknown element", "wrong type", "drop a required element", "drop a must-support element", "bad primitive",
    "bad code", "bad reference", "wrong slice count", "broken invariant", "drop an optional must-support element",
}  # fmt: skip


def caught(of, url, resource, kind, mutant, place, other):
    """Whether a new error stands at the place, within it, or right around it; some invariants are only advice."""
    if kind == "drop an optional must-support element":  # no error: the ledger must miss it
        profile = of.tables.profile(url)
        return ledger.seen(mutant, profile, of.tables) < ledger.seen(resource, profile, of.tables)
    also = (Severity.WARNING,) if kind == "broken invariant" else ()
    new = of.errors(mutant, url, *also) - of.errors(resource, url, *also)
    around = {place, place.rpartition(".")[0], re.sub(r"\[\d+\]$", "", place), other}
    return any(at in around or at.startswith((f"{place}.", f"{place}[")) for _, at, _ in new)


def made(of):
    for url, resources in of.subjects.items():
        for resource in resources[: EXAMPLES[of.version]]:
            told = set()
            for kind, mutant, place, other in mutants(of.definitions[url], of.version, resource):
                written = json.dumps(mutant)
                if mutant != resource and (kind, written) not in told:
                    told.add((kind, written))
                    yield url, resource, kind, mutant, place, other


@pytest.mark.parametrize("version", VERSIONS)
def test_every_profile_of_a_resource_has_a_subject(version):
    assert [url for url, each in guide(version).subjects.items() if not each] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_our_rules_and_the_guides_own_expressions_agree(version, tmp_path, monkeypatch, capsys):
    of = guide(version)
    monkeypatch.setenv("ONC_CONFORMANCE_DATA", str(tmp_path))
    imports.add(of.package)
    theirs = fhir.load(version)
    assert theirs.expressions
    assert theirs is not of.tables
    every = [each for number, each in enumerate(made(of)) if each[2] == "broken invariant" or not number % 40]
    every += [(url, each, "as it is", each, "", None) for url, one in of.subjects.items() for each in one[:4]]
    apart = Counter()
    for url, _resource, kind, mutant, *_ in every:
        both = [of.errors(mutant, url, Severity.WARNING, by=one) for one in (of.tables, theirs)]
        for rule, path, _ in both[0] ^ both[1]:
            apart[(rule, kind, path)] += 1
    assert "TRACE" not in capsys.readouterr().out
    with capsys.disabled():
        kinds = Counter(each[2] for each in every)
        sys.stdout.write(f"\n{version}: {len(theirs.expressions)} expressions, agreed on {dict(kinds)}\n")
    assert kinds["broken invariant"] >= 20
    assert apart == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_spoilt_is_objected_to_where_it_is_spoilt(version, capsys):
    of = guide(version)
    many, survivors = Counter(), []
    every = list(made(of))
    step = 1 if EVERY else max(1, len(every) // SAMPLE[version])
    for number, (url, resource, kind, mutant, place, other) in enumerate(every):
        if number % step:
            continue
        many[kind] += 1
        if not caught(of, url, resource, kind, mutant, place, other):
            survivors.append((kind, url.rpartition("/")[2], resource.get("id"), place))
    total = many.total()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{version}: {len(every)} made, {total} judged, {total - len(survivors)} caught: {dict(many)}\n"
        )
        sys.stdout.writelines(f"survived: {each}\n" for each in survivors)
    assert version != "6.1.0" or len(every) >= 5000
    assert set(many) == KINDS
    assert len(survivors) <= total // 100, survivors
