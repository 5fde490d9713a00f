from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.targets.acme import with_line

from onc_conformance.exchange import curl
from onc_conformance.targets import client as module
from onc_conformance.targets import patience

ANN = {"family": "O'Brien", "dob": "1970-05-01"}


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, {"Retry-After": "3"}, 3.0),
        (503, {"Retry-After": "2"}, 2.0),
        (429, {}, 0.5),
        (429, {"Retry-After": "soon"}, 0.5),
        (429, {"Retry-After": format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)}, 0.0),
    ],
)
def test_a_server_that_asks_for_patience_gets_it_and_the_request_again(connect, vendor, status, headers, expected):
    slept = []
    vendor.instead["/all"] = [(status, b"", headers)]
    client = connect(sleep=slept.append)
    answer = client.session(ANN).all_data()
    assert answer.ok
    assert slept == [expected]
    assert client.again.causes.total() == 1
    assert vendor.paths()[-2:] == ["/all", "/all"]


def test_a_503_without_a_time_is_tried_again_a_few_times(connect, vendor):
    slept = []
    vendor.instead["/all"] = [(503, b"", {})]
    assert connect(sleep=slept.append).session(ANN).all_data().ok
    assert slept == [0.5]
    vendor.instead["/all"] = [(503, b"", {})] * 3
    assert connect().session(ANN).all_data().kind == "unclassified"


def test_nobody_waits_longer_than_the_cap(connect, vendor):
    slept = []
    vendor.instead["/all"] = [(429, b"", {"Retry-After": "3600"})]
    assert not connect(sleep=slept.append).session(ANN).all_data().ok
    vendor.instead["/all"] = [(429, b"", {"Retry-After": "25"})] * 9
    assert not connect(sleep=slept.append).session(ANN).all_data().ok
    assert sum(slept) <= patience.LONGEST_WAIT
    assert slept == [25.0, 25.0]


def test_requests_are_no_faster_than_the_description_allows(connect, monkeypatch):
    now, slept = [0.0], []
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    client = connect(
        with_line("[target]", "[limits]\nrequests_per_s = 4\n[target]").replace("[target]\n", "", 1), sleep=slept.append
    )
    session = client.session(ANN)
    session.select()
    session.all_data()
    assert slept == [0.25, 0.5]
    assert client.target.description.limits.max_parallel == 1


def test_a_get_follows_a_redirect_within_its_host_and_nowhere_else(connect, vendor):
    vendor.instead["/all"] = [(307, b"", {"Location": "/all?patient=p1"})]
    assert connect().session(ANN).all_data().ok
    vendor.instead["/all"] = [(307, b"", {"Location": vendor.url.replace("127.0.0.1", "localhost") + "/all"})]
    before = len(vendor.heard)
    answer = connect().session(ANN).all_data()
    assert answer.kind == "unclassified"
    assert "where no request with credentials is sent" in answer.message
    assert vendor.paths()[before:] == ["/login", "/patients", "/all"]


def test_a_login_form_is_not_sent_on(connect, vendor):
    vendor.instead["/login"] = [(307, b"", {"Location": "/elsewhere"})]
    assert connect().session(ANN).login().kind == "unclassified"
    assert vendor.paths() == ["/login"]


def test_a_page_is_fetched_by_nobody_in_particular(connect, vendor):
    client = connect()
    client.session(ANN).select()
    vendor.instead["/docs"] = [(200, b"<html/>", {})]
    assert client.fetch(f"{vendor.url}/docs", "reading")[-1].status == 200
    assert "authorization" not in vendor.heard[-1].headers


def test_everything_secret_is_masked_in_what_was_recorded(connect, vendor):
    client = connect()
    session = client.session(ANN)
    session.all_data()
    secrets = client.journal.secrets
    for made in client.journal.exchanges.values():
        shown = curl(made, secrets) + secrets.mask_bytes(made.response_body).decode()
        assert "horse" not in shown
        assert session.value("token") not in shown


def test_a_short_password_is_masked_where_the_description_sends_it(connect, vendor):
    client = connect(env={"ACME_PASS": "dave"})
    client.session(ANN).login()
    shown = curl(client.journal.exchanges["0001"], client.journal.secrets)
    assert "user=u&pw=***" in shown
