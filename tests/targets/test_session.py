import base64
import hashlib
import hmac
from datetime import date
from email.utils import parsedate_to_datetime

import pytest
from tests.targets.acme import ACME, with_line, with_other

from onc_conformance.findings import UsageError
from onc_conformance.moments import Days

ANN = {"family": "O'Brien", "given": "Ann", "dob": "1970-05-01"}
DAY = Days(date(2017, 5, 2), date(2017, 5, 2))
SINCE = Days(date(2017, 5, 2), None)


def contents(answer):
    return [document.data.decode() for document in answer.documents]


def test_nothing_is_asked_before_it_is_needed(connect, vendor):
    connect().session(ANN)
    assert vendor.heard == []


def test_a_patient_is_selected_after_a_login(connect, vendor):
    client = connect()
    answer = client.session(ANN).select()
    assert answer.ok
    assert answer.captures == {"pat_id": "p1"}
    assert answer.exchanges == ("0001", "0002")
    assert [made.purpose for made in client.journal.exchanges.values()] == ["log in: login", "select_patient"]
    assert vendor.heard[0].body == "user=u&pw=correct+horse"
    assert vendor.heard[1].query == {"family": "O'Brien"}
    assert vendor.heard[1].headers["authorization"] == "Bearer token-number-1"


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"family": "Nobody"}, "no_match"),
        ({"dob": "1970-05-02"}, "no_match"),
        ({"family": "Twin", "dob": "2000-01-01"}, "ambiguous"),
        ({"family": "o'brien"}, "no_match"),
    ],
)
def test_a_patient_who_is_not_the_only_one_is_not_selected(connect, changed, kind):
    session = connect().session(ANN)
    answer = session.select(**changed)
    assert answer.kind == kind
    assert answer.captures == {}
    assert answer.message
    assert session.all_data().ok, "what was asked with other attributes must not stick"


def test_data_select_the_patient_if_nobody_has(connect, vendor):
    session = connect().session(ANN)
    assert contents(session.all_data()) == ["<all of='p1'/>"]
    assert contents(session.all_data()) == ["<all of='p1'/>"]
    assert vendor.paths() == ["/login", "/patients", "/all", "/all"]


def test_data_of_a_patient_who_cannot_be_selected_are_not_asked_for(connect, vendor):
    session = connect().session(ANN | {"family": "Nobody"})
    for answer in (session.all_data(), session.category("problems")):
        assert answer.kind == "no_match"
        assert answer.message.startswith("the patient could not be selected: nothing found for pat_id")
    assert "/all" not in vendor.paths()


def test_a_category_is_asked_for_by_the_vendors_name(connect, vendor):
    answer = connect().session(ANN).category("problems")
    assert contents(answer) == ["<Problems of='p1' />"]
    assert (answer.documents[0].media_type, answer.documents[0].exchange) == ("text/xml", "0003")
    assert not answer.assumed
    assert answer.identity_in_answer
    assert vendor.heard[-1].query == {"patient": "p1", "name": "Problems"}


def test_a_category_of_several_names_is_asked_for_by_each_or_joined(connect, vendor):
    session = connect().session(ANN)
    assert contents(session.category("assessment_plan")) == ["<Assessment of='p1' />", "<Plan of='p1' />"]
    joined = session.category("vital_signs")
    assert contents(joined) == ["<Weight-Height of='p1' />"]
    assert joined.assumed
    assert vendor.heard[-1].query["name"] == "Weight+Height"


def test_a_category_of_encounters_is_asked_for_each_of_them(connect, vendor):
    session = connect().session(ANN)
    answer = session.category("goals")
    assert contents(answer) == ["<Goals of='p1' e1/>", "<Goals of='p1' e2/>"]
    assert answer.exchanges == ("0003", "0004", "0005")
    session.category("goals")
    assert vendor.paths().count("/encounters") == 1


def test_a_category_of_encounters_of_a_patient_without_any_has_no_data(connect, monkeypatch):
    monkeypatch.setattr("tests.targets.conftest.ENCOUNTERS", {}, raising=False)
    session = connect().session(ANN)
    session._talk.encounters = {"encounter_ids": []}
    answer = session.category("goals")
    assert (answer.kind, answer.documents, answer.message) == ("no_data", (), "the patient has no encounters")


def test_an_address_of_its_own_is_used_for_a_category(connect, vendor):
    text = with_other('problems = "Problems"', 'problems = { name = "P", url = "{base.api}/own/problems" }')
    assert connect(text).session(ANN).category("problems").ok
    assert vendor.heard[-1].path == "/own/problems"


def test_what_the_description_does_not_offer_is_not_asked_for(connect, vendor):
    text = with_other('problems = "Problems"', "problems = { unsupported = true }")
    session = connect(text).session(ANN)
    for name in ("problems", "immunizations", "no such category"):
        assert session.category(name).kind == "not_supported"
    assert vendor.heard == []


def test_one_refusal_among_several_requests_decides_and_data_are_kept(connect, vendor):
    session = connect().session(ANN)
    session.select()
    vendor.instead["/category"] = [(200, b"<Assessment/>", {}), (200, b'{"error": "no such section"}', {})]
    answer = session.category("assessment_plan")
    assert answer.kind == "bad_request"
    assert contents(answer) == ["<Assessment/>"]
    assert answer.message == "HTTP 200, error: no such section"


def test_nothing_of_a_kind_is_no_refusal(connect, vendor):
    session = connect().session(ANN)
    session.select()
    vendor.instead["/category"] = [(204, b"", {}), (200, b"<Plan/>", {}), (204, b"", {}), (204, b"", {})]
    assert session.category("assessment_plan").kind == "ok"
    assert session.category("assessment_plan").kind == "no_data"


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"{}", "unclassified", "the answer has no document at $.document"),
        (b'{"document": null}', "unclassified", "the answer has no document"),
        (b'{"document": "???"}', "unclassified", "the document cannot be unwrapped: base64"),
        (b"<html>login</html>", "unclassified", "the answer has no document"),
    ],
)
def test_an_answer_without_its_document_is_not_ok(connect, vendor, body, kind, said):
    vendor.instead["/all"] = [(200, body, {})]
    answer = connect().session(ANN).all_data()
    assert answer.kind == kind
    assert said in answer.message


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_nobody_described_is_unclassified(connect, vendor, status):
    vendor.instead["/all"] = [(status, b"<html><head><title>x</title></head>Oh dear</html>", {})]
    answer = connect().session(ANN).all_data()
    assert answer.kind == "unclassified"
    assert answer.message == f"HTTP {status}, Oh dear"


def test_a_refused_session_is_renewed_once_and_the_request_made_again(connect, vendor):
    session = connect().session(ANN)
    session.select()
    vendor.valid.clear()
    assert session.all_data().ok
    assert vendor.paths() == ["/login", "/patients", "/all", "/login", "/all"]


def test_a_session_that_is_refused_again_and_again_is_not_renewed_for_ever(connect, vendor):
    session = connect().session(ANN)
    session.select()
    vendor.instead["/all"] = [(401, b"", {})] * 9
    assert session.all_data().kind == "auth"
    assert vendor.paths()[2:] == ["/all", "/login", "/all"]


def test_a_session_without_refresh_is_not_renewed(connect, vendor):
    session = connect(with_other('[auth.refresh]\non = ["auth"]\nmax = 1', "")).session(ANN)
    session.select()
    vendor.valid.clear()
    assert session.all_data().kind == "auth"


def test_a_refused_login_is_told_with_its_reason(connect):
    client = connect(env={"ACME_PASS": "wrong password"})
    answer = client.session(ANN).login()
    assert (answer.kind, answer.message) == ("auth", "HTTP 401")
    assert client.session(ANN).select().kind == "auth"


def test_a_server_out_of_reach_is_unreachable(connect):
    answer = connect(env={"ACME_URL": "http://127.0.0.1:1"}).session(ANN).select()
    assert answer.kind == "unreachable"
    assert "refuses connections" in answer.message
    assert answer.exchanges == ("0001",)


def test_an_answer_that_breaks_off_is_the_servers_fault(connect, vendor):
    vendor.instead["/all"] = [(200, b'{"document": "PGEvPg=="}', {"Content-Encoding": "gzip"})]
    answer = connect().session(ANN).all_data()
    assert answer.kind == "server"
    assert "not the gzip it says it is" in answer.message


def test_a_window_goes_into_the_request_that_brings_the_document(connect, vendor):
    session = connect().session(ANN)
    assert session.all_data(DAY).ok
    assert vendor.heard[-1].query == {"patient": "p1", "from": "2017-05-02", "to": "2017-05-02"}
    assert session.category("goals", SINCE).ok
    assert "from" not in vendor.heard[-3].query
    assert [heard.query.get("from") for heard in vendor.heard[-2:]] == ["2017-05-02"] * 2
    assert "to" not in vendor.heard[-1].query


def test_a_window_can_be_put_into_a_form_a_body_or_variables(connect, vendor):
    as_form = with_other('"pair"', '"pair"\nas = "form"')
    for table, expected in (
        (
            'method = "POST"\nform = { p = "{pat_id}" }',
            "p=p1&from=2017-05-02",
        ),
        ('method = "POST"\njson = { p = ["{pat_id}", 1] }', '{"p":["p1",1],"from":"2017-05-02"}'),
        ('method = "POST"\nxml = "<a>{from|xmlesc}-{to}</a>"', "<a>2017-05-02-</a>"),
    ):
        kind = {"form": "form", "json": "body", "xml ": "var"}[table.split("\n")[1][:4]]
        text = as_form.replace('as = "form"', f'as = "{kind}"').replace(
            'url = "{base.api}/all"', f'url = "{{base.api}}/all"\n{table}'
        )
        text = text.replace("[[ops.category.step]]", "[[ops.category.step]]\ndates = false")
        assert connect(text).session(ANN).all_data(SINCE).ok
        assert vendor.heard[-1].body == expected


def test_an_api_that_takes_both_dates_or_none_is_not_asked_for_an_open_range(connect, vendor):
    session = connect(with_other('"pair"', '"pair"\nbounds = "both_or_none"')).session(ANN)
    session.select()
    before = len(vendor.heard)
    assert session.all_data(SINCE).kind == "not_supported"
    assert len(vendor.heard) == before


ALTERED = [
    ({"set": {"token": "never-issued"}}, "auth"),
    ({"unset": ["token"]}, "auth"),
    ({"drop_header": ["authorization"]}, "auth"),
    ({"set": {"pat_id": "p2"}}, "ok"),
]


@pytest.mark.parametrize(("change", "kind"), ALTERED)
def test_an_altered_session_goes_wrong_and_the_original_does_not(connect, vendor, change, kind):
    session = connect().session(ANN)
    altered = session.altered(**change)
    logins = vendor.paths().count("/login")
    assert altered.all_data().kind == kind
    assert altered.category("problems").kind == kind
    assert vendor.paths().count("/login") == logins
    assert contents(session.all_data()) == ["<all of='p1'/>"]


def test_an_altered_id_is_the_one_that_is_asked_for(connect):
    assert contents(connect().session(ANN).altered(set={"pat_id": "p2"}).all_data()) == ["<all of='p2'/>"]


def test_an_altered_session_may_be_allowed_to_renew_itself(connect):
    session = connect().session(ANN)
    assert session.altered(set={"pat_id": "p2"}, no_refresh=False).all_data().ok


def test_the_alteration_begins_with_the_last_request_that_it_touches(connect, vendor):
    text = with_other(
        "[[ops.all_data.step]]",
        '[[ops.all_data.step]]\nurl = "{base.api}/encounters"\nquery = { patient = "{pat_id}" }\n'
        'capture.ids = { from = "json", path = "$.rows[*].id", pick = "all" }\n\n[[ops.all_data.step]]\n'
        'foreach = "ids"\nas = "one"',
    ).replace(
        'url = "{base.api}/all"\nquery = { patient = "{pat_id}" }', 'url = "{base.api}/all"\nquery = { id = "{one}" }'
    )
    session = connect(text).session(ANN)
    session.select()
    assert session.altered(set={"pat_id": "p2"}).all_data().kind == "no_data"
    assert vendor.heard[-1].query == {"patient": "p2"}
    assert session.altered(set={"token": "never-issued"}).all_data().kind == "auth"
    assert [heard.path for heard in vendor.heard[-2:]] == ["/encounters", "/all"]


def test_a_list_is_gone_through_item_by_item(connect, vendor):
    text = with_other('url = "{base.api}/all"\n', 'url = "{base.api}/all"\nforeach = "encounter_ids"\nas = "visit"\n')
    text = text.replace(
        '/all"\nforeach = "encounter_ids"\nas = "visit"\nquery = { patient = "{pat_id}" }',
        '/all"\nforeach = "encounter_ids"\nas = "visit"\nquery = { patient = "{pat_id}-{visit}" }',
    )
    answer = connect(text).session(ANN).all_data()
    assert contents(answer) == ["<all of='p1-e1'/>", "<all of='p1-e2'/>"]


def test_described_misuses_are_carried_out(connect, vendor):
    text = (
        ACME
        + """
[[negative]]
op = "select_patient"
mutate = { set = { token = "x-{token}" }, no_refresh = true }
expect = ["auth"]
[[negative]]
op = "category"
mutate = { unset = "token", no_refresh = true }
expect = ["auth"]
[[negative]]
op = "all_data"
mutate = { drop_header = "Authorization", wait_s = 7 }
expect = ["auth"]
"""
    )
    slept = []
    client = connect(text, sleep=slept.append)
    session = client.session(ANN)
    kinds = [session.misuse(test, "no such category").kind for test in client.target.misuses()]
    assert kinds == ["auth", "auth", "auth"]
    assert sum(slept) == 7


BOUND = with_other('kind = "search"', 'kind = "credential_bound"').replace("{patient.family}", "")
BOUND = BOUND[: BOUND.index("[[ops.select_patient.step]]")] + BOUND[BOUND.index("[[ops.list_encounters.step]]") :]
BOUND = BOUND.replace("capture.token", 'capture.pat_id = { from = "json", path = "$.token" }\ncapture.token')


def test_with_bound_credentials_selecting_is_logging_in(connect, vendor):
    session = connect(BOUND).session({})
    answer = session.select()
    assert answer.captures == {"pat_id": "token-number-1"}
    assert answer.exchanges == session.select().exchanges == ("0001",)
    assert vendor.paths() == ["/login"]
    assert session.value("pat_id") == session.value("token") == "token-number-1"


def test_with_bound_credentials_a_patient_has_its_own(connect, vendor):
    client = connect(BOUND, env={"ACME_PASS_2": "battery staple"})
    answer = client.session({}, {"ACME_PASS": "{env.ACME_PASS_2}", "OTHER_ID": "{env.OTHER_ID_2}"}).select()
    assert answer.kind == "auth"
    assert vendor.heard[0].body == "user=u&pw=battery+staple"
    assert client.journal.secrets.mask_text("battery staple") == "***"


def test_a_patients_variable_that_is_not_set_is_named(connect):
    with pytest.raises(UsageError, match=r"vars.ACME_PASS of a patient uses {env.ACME_PASS_3}; set ACME_PASS_3"):
        connect(BOUND).session({}, {"ACME_PASS": "{env.ACME_PASS_3}"})


def test_with_bound_credentials_a_wrong_password_is_a_misuse_of_selection(connect, vendor):
    session = connect(BOUND).session({})
    session.select()
    assert session.altered(set={"ACME_PASS": "wrong"}).select().kind == "auth"
    assert session.all_data().ok


SIGNED = (
    with_line('url = "{base.api}/all"', 'sign = "x"')
    + """
[sign.x]
key = "{env.ACME_PASS|sha256hex}"
parts = [["(request-target)", "{req.method|lower} {req.path}"], ["host", "{req.host}"], ["date", "{now|httpdate}"],
         ["digest", "{req.body|sha256hex}"], ["content-length", "{req.length}"], ["nonce", "{uuid}"]]
set_headers.Date = "{part.date}"
set_headers.Digest = "{part.digest}"
set_headers.X-Signature = '{part.nonce} {part.names} {signature}'
"""
)
SIGNED = SIGNED.replace('sign = "x"', 'sign = "x"\nmethod = "POST"\njson = { a = "é" }')


def test_what_is_signed_is_what_is_sent(connect, vendor):
    client = connect(SIGNED)
    assert client.session(ANN).all_data(DAY).ok
    sent = vendor.heard[-1]
    nonce, rest = sent.headers["x-signature"].split(" ", 1)
    names, signature = rest.rsplit(" ", 1)
    assert names == "(request-target) host date digest content-length nonce"
    assert sent.headers["digest"] == hashlib.sha256(sent.body.encode()).hexdigest()
    lines = [
        "(request-target): post /all?patient=p1&from=2017-05-02&to=2017-05-02", f"host: {sent.headers['host']}",
        f"date: {sent.headers['date']}", f"digest: {sent.headers['digest']}",
        f"content-length: {sent.headers['content-length']}", f"nonce: {nonce}",
    ]  # fmt: skip
    key = hashlib.sha256(b"correct horse").hexdigest()
    made = hmac.new(key.encode(), "\n".join(lines).encode(), hashlib.sha256).digest()
    assert signature == base64.b64encode(made).decode()
    assert parsedate_to_datetime(sent.headers["date"]).tzinfo is not None
    assert client.journal.secrets.mask_text(key) == "***"


def test_no_two_requests_have_the_same_nonce(connect, vendor):
    session = connect(SIGNED).session(ANN)
    session.all_data()
    session.all_data()
    first, second = (heard.headers["x-signature"].split()[0] for heard in vendor.heard[-2:])
    assert first != second


def test_an_address_is_signed_as_it_travels(connect, vendor):
    text = SIGNED.replace('"{base.api}/all"', '"{base.api}/all/{patient.family}%2fé"')
    text = text.replace('["nonce", "{uuid}"]', '["nonce", "{req.path}"]')
    vendor.instead["/all/O'Brien%2F%C3%A9"] = [(200, b'{"document": "PGEvPg=="}', {})]
    assert connect(text).session(ANN).all_data().ok
    assert vendor.heard[-1].headers["x-signature"].startswith("/all/O'Brien%2F%C3%A9?patient=p1 ")


def test_a_signature_can_be_forged_on_purpose(connect, vendor):
    connect(SIGNED).session(ANN).altered(set={"signature": "forged"}).all_data()
    assert vendor.heard[-1].headers["x-signature"].endswith(" forged")


def test_credentials_do_not_follow_an_address_out_of_an_answer(connect, vendor):
    text = with_other(
        "[[ops.all_data.step]]",
        '[[ops.all_data.step]]\nurl = "{base.api}/where"\ncapture.link = { from = "json", path = "$.link" }\n'
        "[[ops.all_data.step]]",
    ).replace('url = "{base.api}/all"\nquery = { patient = "{pat_id}" }', 'url = "{link}"')
    for link, carried in (
        (f"{vendor.url}/all", True),
        ("all", True),
        (vendor.url.replace("127.0.0.1", "localhost"), False),
    ):
        vendor.instead["/where"] = [(200, f'{{"link": "{link}"}}'.encode(), {})]
        connect(text).session(ANN).all_data()
        assert ("authorization" in vendor.heard[-1].headers) is carried, link


def test_an_answer_without_a_patient_is_marked_as_such(connect):
    text = with_other("[[ops.category.step]]", '[ops.category]\nidentity = "none"\n[[ops.category.step]]')
    session = connect(text).session(ANN)
    assert not session.category("problems").identity_in_answer
    assert session.all_data().identity_in_answer


def test_no_secret_is_in_a_message(connect, vendor):
    vendor.instead["/all"] = [(500, b"x" * 190 + b" correct horse", {})]
    message = connect().session(ANN).all_data().message
    assert "***" in message
    assert "corr" not in message
