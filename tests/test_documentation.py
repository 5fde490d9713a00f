"""Documentation pages: gates, evidence, and pages that say nothing."""

import pytest

from onc_conformance import documentation
from onc_conformance.documentation import Page
from onc_conformance.findings import Severity

PROSE = "The API takes requests by POST and answers in XML; every parameter is listed with its type. " * 4


def page(body, *, status=200, media_type="text/html", addresses=("https://x.test/docs",), trouble=None):
    return Page("https://x.test/docs", status, media_type, body.encode(), addresses, "0001", trouble)


def test_an_open_page_has_no_gate():
    assert documentation.gate(page(f"<html><body><p>{PROSE}</p></body></html>"), "R") == []


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (page("", trouble="cannot resolve the host name x.test"), "could not be opened"),
        (page("<p>gone</p>", status=404), "does not open"),
        (page(PROSE, status=401), "does not open"),
        (page(f"<p>{PROSE}</p>", addresses=("https://x.test/docs", "https://x.test/account/login")), "behind a login"),
        (page("<form><input name=u><input type=password name=p></form>" + PROSE), "login form"),
        (page(f"<form><p>{PROSE}</p><button>I agree</button></form>"), "an agreement"),
        (page(f"<p>{PROSE}</p><form><input type=submit value='Continue to the documentation'></form>"), "an agreement"),
        (page("<p>Coming soon</p>"), "next to nothing"),
        (page("", media_type="text/html"), "empty"),
    ],
)
def test_a_gate_is_named(shown, said):
    (finding,) = documentation.gate(shown, "G9-IIB-TLV-1")
    assert said in finding.message
    assert finding.rule == "G9-IIB-TLV-1"
    assert finding.severity is Severity.ERROR
    assert finding.exchange == "0001"


def test_other_buttons_and_a_notice_beside_real_documentation_are_no_gate():
    assert documentation.gate(page(f"<p>{PROSE}</p><form><button>Search</button></form>"), "R") == []
    assert documentation.gate(page(f"<form><button>Accept cookies</button></form><p>{PROSE * 8}</p>"), "R") == []


def test_a_login_box_beside_real_documentation_is_no_gate():
    body = f"<html><body><form><input type=password></form><p>{PROSE * 8}</p></body></html>"
    assert documentation.gate(page(body), "R") == []


BODY = f"""<html><body>
<nav>Exceptions</nav>
<section id="syntax"><h2>Syntax</h2><p>{PROSE}</p></section>
<section class="errors"><h2>Exceptions</h2><p>Each error has a class and a message that says what to do.</p></section>
<section id="returns"></section>
<script>var registration = "Register your app here and wait for an answer";</script>
</body></html>"""


@pytest.mark.parametrize(
    ("where", "begins"),
    [
        ("#syntax", "Syntax The API takes"),
        (".errors", "Exceptions Each error"),
        ("//section[@class='errors']/p", "Each error"),
        ("each ERROR has   a class", "Each error has a class"),
    ],
)
def test_evidence_is_located_by_css_xpath_or_text(where, begins):
    evidence = documentation.locate(page(BODY), where)
    assert evidence.text.startswith(begins)
    assert evidence.xpath.startswith("/html/body")
    assert evidence.line >= 1


@pytest.mark.parametrize("where", ["#returns", "#nowhere", "//section[", "Register your app here", "//@class", "#[bad"])
def test_nothing_is_no_evidence(where):
    assert documentation.locate(page(BODY), where) is None
    (finding,) = documentation.covers(page(BODY), "returns", where, "R")
    assert finding.severity is Severity.ERROR
    assert where in finding.expected


def test_a_covered_item_leaves_its_evidence_as_a_finding():
    (finding,) = documentation.covers(page(BODY), "syntax", "#syntax", "R")
    assert finding.severity is Severity.INFO
    assert finding.found.startswith("Syntax The API")


def test_plain_text_is_searched_as_text():
    evidence = documentation.locate(page("", media_type="application/pdf"), "dates")
    assert evidence is None
    shown = Page("u", 200, "application/octet-stream", b"Ask by DATE with sdate and edate", ("u",), None)
    assert documentation.locate(shown, "by date").text.startswith("by DATE with")


def test_plain_http_beyond_this_machine_is_a_warning():
    (finding,) = documentation.unsecured(page(PROSE, addresses=("http://x.test/docs",)), "R")
    assert finding.severity is Severity.WARNING
    assert documentation.unsecured(page(PROSE, addresses=("http://127.0.0.1:9/docs", "https://x.test")), "R") == []
