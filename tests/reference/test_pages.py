import re

import pytest
from lxml import html
from tests.reference.clients import PATIENTS, WEBCHART_CATEGORIES

import requests
from onc_conformance.reference import ReferenceEHR

ITEMS = ["syntax", "functions", "parameters", "returns", "exceptions", "components", "dates", "registration", "terms"]
DOCS = ["WC_DOCS", "EYW_DOCS", "DOCREF_DOCS"]


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    path = tmp_path_factory.mktemp("patients") / "two.toml"
    path.write_text(PATIENTS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ehr(patients):
    with ReferenceEHR(patients=[patients]) as running:
        yield running


def page(ehr, name, more=""):
    return requests.get(ehr.env[name] + more, timeout=5)


@pytest.mark.parametrize("name", DOCS)
def test_each_documentation_has_every_item_and_its_version_in_the_open(ehr, name):
    answer = page(ehr, name)
    assert answer.status_code == 200
    root = html.fromstring(answer.content)
    for item in [*ITEMS, "version"]:
        assert len(root.get_element_by_id(item).text_content().split()) > 8, item


@pytest.mark.parametrize("name", DOCS)
def test_the_terms_have_an_address_of_their_own(ehr, name):
    link = next(
        href for element, _, href, _ in html.fromstring(page(ehr, name).content).iterlinks() if href.endswith("/terms")
    )
    answer = requests.get(ehr.url + link, timeout=5)
    assert "warranty" in html.fromstring(answer.content).get_element_by_id("terms").text_content()


@pytest.mark.parametrize("name", DOCS)
def test_pages_load_nothing_from_elsewhere(ehr, name):
    root = html.fromstring(page(ehr, name).content)
    links = [href for _, _, href, _ in root.iterlinks()]
    assert all(href.startswith(("#", "/", f"{ehr.url}/")) for href in links)


def test_the_documentation_names_what_can_be_asked_for(ehr):
    said = html.fromstring(page(ehr, "WC_DOCS").content).get_element_by_id("parameters").text_content()
    assert all(name in said for name in WEBCHART_CATEGORIES)
    said = html.fromstring(page(ehr, "EYW_DOCS").content).get_element_by_id("parameters").text_content()
    assert "Discharge Summary Note" in said


@pytest.mark.parametrize("item", ["exceptions", "dates", "components", "terms"])
@pytest.mark.parametrize("name", DOCS)
def test_a_fault_leaves_one_item_out_and_no_other(patients, name, item):
    with ReferenceEHR(patients=[patients], faults=[f"docs-without-{item}"]) as ehr:
        root = html.fromstring(page(ehr, name).content)
        there = [one for one in ITEMS if root.xpath(f"//*[@id='{one}']")]
        assert there == [one for one in ITEMS if one != item]
        if item == "dates":
            assert not re.search(r"\b(sdate|edate|FromDate|ToDate)\b|\bstart=", root.text_content())
        assert page(ehr, name, "/terms").status_code == (404 if item == "terms" else 200)


@pytest.mark.parametrize("name", DOCS)
def test_a_fault_hides_it_behind_a_login_or_altogether(patients, name):
    with ReferenceEHR(patients=[patients], faults=["docs-behind-login"]) as ehr:
        answer = page(ehr, name)
        assert answer.history[0].status_code == 302
        assert "login_passwd" in answer.text
    with ReferenceEHR(patients=[patients], faults=["docs-missing"]) as ehr:
        assert page(ehr, name).status_code == 404


def test_the_front_page_leads_to_all(ehr):
    links = [href for _, _, href, _ in html.fromstring(requests.get(ehr.url, timeout=5).content).iterlinks()]
    assert links == ["/webchart-documentation", "/ehryourway-documentation", "/docref-documentation"]
