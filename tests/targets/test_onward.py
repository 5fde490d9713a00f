import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.targets.acme import ACME, ENV
from tests.targets.emulations.base import Emulation, Said

from onc_conformance.exchange import Journal
from onc_conformance.findings import UsageError
from onc_conformance.redaction import Secrets
from onc_conformance.targets import Client
from onc_conformance.targets.loading import load_text

PATIENT = {"family": "Finch", "given": "Ida", "dob": "1972-01-20"}
PLAIN = ACME[: ACME.index("[[auth.step]]")] + ACME[ACME.index("[selection]") :]
TOKEN = '[[auth.step]]\nkind = "static"\ntoken = "t-1234567"\n'
OFFSET = '[paginate]\nnext = "offset"\nparam = "skip"\nitems = "$.rows"\n'


class Server(Emulation):
    """Two patients who share a name, each on a page of their own; everything else as a test wants it."""

    rows = (
        {"id": "p0", "dob": "2001-01-01"},
        {"id": "p1", "dob": PATIENT["dob"]},
        {"id": "p2", "dob": "2002-01-01"},
    )

    def __init__(self):
        super().__init__()
        self.other = {}
        self.patients_answer = lambda asked: Said({"rows": list(self.rows)})

    def answer(self, asked):
        if asked.path in self.other:
            return self.other[asked.path](asked)
        if asked.path == "/patients":
            return self.patients_answer(asked)
        return Said({"document": base64.b64encode(b"<all/>").decode()})


@pytest.fixture
def server():
    with Server() as running:
        yield running


def session(server, more, base=PLAIN, slept=None):
    wait = (lambda seconds: None) if slept is None else slept.append
    target = load_text(f"{base}\n{more}", "acme.toml", {**ENV, "ACME_URL": server.url})
    return Client(target, Journal(Secrets()), wait).session(PATIENT)


def complaint(more):
    with pytest.raises(UsageError) as caught:
        load_text(f"{PLAIN}\n{more}", "acme.toml", ENV)
    return str(caught.value)


def asked_of_patients(server):
    return [dict(asked.query) for asked in server.heard if asked.path == "/patients"]


@pytest.mark.parametrize(("more", "skips"), [("", ["0", "1", "2", "3"]), ("size = 1\n", ["0", "1", "2", "3"])])
def test_pages_by_offset_end_with_an_empty_one(server, more, skips):
    def page(asked):
        at = int(asked.query.get("skip", "0"))
        return Said({"rows": list(self_rows[at : at + 1])})

    self_rows = server.rows
    server.patients_answer = page
    answer = session(server, OFFSET + more).select()
    assert answer.captures == {"pat_id": "p1"}
    assert [query.get("skip", "0") for query in asked_of_patients(server)] == skips
    assert len(answer.exchanges) == 4, "every page is recorded"


def test_a_total_or_a_short_page_ends_them(server):
    server.patients_answer = lambda asked: Said(
        {"rows": list(server.rows[int(asked.query.get("skip", 0)) :][:2]), "n": 3}
    )
    assert session(server, OFFSET + 'total = "$.n"').select().ok
    assert [query.get("skip") for query in asked_of_patients(server)] == [None, "2"]
    server.heard.clear()
    assert session(server, OFFSET + "size = 2").select().ok
    assert [query.get("skip") for query in asked_of_patients(server)] == [None, "2"]


def test_pages_by_number(server):
    base = PLAIN.replace("$.rows[*].id", "$.in.rows[*].id", 1)
    paging = '[paginate]\nnext = "page"\nparam = "p"\nfirst = 0\nitems = "$.in.rows"\ntotal = "$.n"\nmax_pages = 3'
    server.other["/patients"] = lambda asked: Said(
        {"in": {"rows": [server.rows[int(asked.query.get("p", "0"))]]}, "n": 3}
    )
    assert session(server, paging, base).select().captures == {"pat_id": "p1"}
    assert [query.get("p") for query in asked_of_patients(server)] == [None, "1", "2"]


def test_a_server_that_does_not_know_the_parameter_is_not_asked_for_ever(server):
    assert session(server, OFFSET).select().captures == {"pat_id": "p1"}
    assert len(asked_of_patients(server)) == 2


def test_too_many_pages_are_given_up(server):
    server.patients_answer = lambda asked: Said({"rows": [{"id": asked.query.get("skip", "x")}]})
    answer = session(server, OFFSET + "max_pages = 4").select()
    assert answer.kind == "unclassified"
    assert answer.message == "more than 4 pages; raise paginate.max_pages"
    assert len(asked_of_patients(server)) == 4


def bundle(rows, following=None):
    link = [{"relation": "self", "url": "x"}, *([{"relation": "next", "url": following}] if following else [])]
    return {"resourceType": "Bundle", "link": link, "entry": [{"resource": row} for row in rows]}


FHIR = PLAIN.replace("$.rows[*].id", "$.entry[*].resource.id", 1).replace("{ dob =", '{ "resource.dob" =', 1)
TOKEN_BASE = FHIR.replace("[selection]", TOKEN + "[selection]", 1)
LINKS = '[paginate]\nnext = "bundle_link"\n'


def test_a_bundle_leads_to_its_next_page(server):
    server.patients_answer = lambda asked: Said(
        bundle(server.rows[1:]) if "page" in asked.query else bundle(server.rows[:1], "patients?page=2")
    )
    answer = session(server, LINKS, TOKEN_BASE).select()
    assert answer.captures == {"pat_id": "p1"}
    assert asked_of_patients(server) == [{"family": "Finch"}, {"page": "2"}]
    assert server.heard[1].headers["authorization"] == "Bearer t-1234567"


def test_a_next_page_elsewhere_gets_no_credentials(server):
    away = server.url.replace("127.0.0.1", "localhost")
    server.patients_answer = lambda asked: Said(
        bundle(server.rows[1:]) if "page" in asked.query else bundle(server.rows[:1], f"{away}/patients?page=2")
    )
    session(server, LINKS, TOKEN_BASE).select()
    assert "authorization" not in server.heard[1].headers


def test_links_that_lead_round_in_a_circle_are_given_up(server):
    server.patients_answer = lambda asked: Said(bundle(server.rows[:1], "/patients?page=2"))
    answer = session(server, LINKS, FHIR).select()
    assert answer.kind == "unclassified"
    assert "page 3 is at the address of an earlier page" in answer.message


def test_documents_are_taken_from_every_page(server):
    base = FHIR.replace(
        'path = "$.document", decode = ["base64"]',
        'path = "$.entry[*].resource.data", pick = "all", decode = ["base64"]',
    )
    packed = [{"data": base64.b64encode(text).decode()} for text in (b"<one/>", b"<two/>", b"<three/>")]
    server.patients_answer = lambda asked: Said(bundle(server.rows))
    server.other["/all"] = lambda asked: Said(
        bundle(packed[2:]) if "page" in asked.query else bundle(packed[:2], "/all?page=2")
    )
    answer = session(server, LINKS, base).all_data()
    assert [each.data for each in answer.documents] == [b"<one/>", b"<two/>", b"<three/>"]
    assert answer.documents[0].exchange != answer.documents[2].exchange


POLL = '[poll]\nheader = "Content-Location"\nevery_s = 2\nmax_s = 30\n'


def test_what_is_prepared_is_waited_for(server):
    done = json.dumps({"document": base64.b64encode(b"<late/>").decode()})
    soon = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    later = [Said("", status=202, headers={"Content-Location": "/job/2", "Retry-After": "7"}), Said(done)]
    server.other["/all"] = lambda asked: Said("", status=202, headers={"Content-Location": "/job/1"})
    server.other["/job/1"] = lambda asked: later.pop(0)
    server.other["/job/2"] = lambda asked: Said(
        "", status=202, headers={"Content-Location": "/job/1", "Retry-After": soon}
    )
    slept = []
    answer = session(server, POLL, PLAIN, slept).all_data()
    assert [each.data for each in answer.documents] == [b"<late/>"]
    assert slept == [2.0, 7.0, 0.0]
    assert len(answer.exchanges) == 4


def test_nobody_waits_for_ever(server):
    server.other["/all"] = lambda asked: Said("", status=202, headers={"Content-Location": "/all"})
    slept = []
    answer = session(server, POLL, PLAIN, slept).all_data()
    assert answer.kind == "server"
    assert answer.message == "not ready after 30 s; if it takes longer, raise poll.max_s"
    assert sum(slept) <= 30


def test_without_an_address_there_is_nothing_to_wait_for(server):
    server.other["/all"] = lambda asked: Said("{}", status=202)
    assert session(server, POLL, PLAIN).all_data().kind == "unclassified"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[paginate]\nnext = "cursor"', "paginate.next: expected 'bundle_link', 'offset' or 'page', found 'cursor'"),
        ('[paginate]\nnext = "offset"', 'paginate: next = "offset" needs items and param'),
        ('[paginate]\nnext = "bundle_link"\nparam = "x"', 'paginate: next = "bundle_link" takes no param'),
        ('[paginate]\nnext = "page"\nparam = "p"\nitems = "$.a[*]"', "paginate: items = '$.a[*]' is no list's place"),
        ('[paginate]\nnext = "bundle_link"\ncap = 3', "paginate.cap: unknown key; expected one of next, items, param"),
        ('[poll]\nurl = "x"', "poll.url: unknown key; expected one of status, header, every_s, max_s"),
    ],
)
def test_what_is_not_described_right_is_named_with_its_line(more, said):
    found = complaint(more)
    assert said in found
    assert found.startswith("acme.toml, line ")
