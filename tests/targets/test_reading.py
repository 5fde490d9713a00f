"""Capturing from answers, and classifying them."""

import json
from dataclasses import replace
from datetime import date

import pytest

from onc_conformance.exchange import Exchange
from onc_conformance.moments import Days
from onc_conformance.targets.capture import NothingCaptured, capture, documents
from onc_conformance.targets.classify import fits
from onc_conformance.targets.models import Conditions
from onc_conformance.targets.reading import Reading
from onc_conformance.targets.steps import Capture, DocumentPlace

ROWS = {
    "db": [
        {
            "id": "1",
            "last": "O'Brien",
            "first": "Zoë",
            "born": "1970-05-01 00:00:00",
            "day": "2017-05-02 10:00:00",
            "size": "9",
        },
        {"id": "2", "last": "o'brien", "first": "Zoe", "born": "1970-05-01", "day": "2018-01-31", "size": "10"},
        {"id": "3", "last": "O'Brien", "first": "ZOË", "born": "1971-05-01", "day": "0000-00-00 00:00:00"},
        {"id": 4, "name": [{"family": "Nested"}], "day": "20170503"},
    ],
    "token": None,
    "status": {"code": 200, "messages": ["one", "two"]},
}
PATIENT = {"patient.family": "o'BRIEN", "patient.given": "Zoe\u0308", "patient.dob": "1970-05-01"}


NOTHING = Exchange(
    id="0001",
    target="acme",
    purpose="",
    method="GET",
    url="http://a.example/",
    request_headers=(),
    request_body=b"",
    status=200,
    response_headers=(),
    response_body=b"",
    started="",
    seconds=0.0,
    sha256="",
)


def reading(body=b"", status=200, headers=()):
    body = json.dumps(body).encode() if isinstance(body, dict) else body
    return Reading(replace(NOTHING, status=status, response_headers=tuple(headers), response_body=body))


def taken(answer, window=None, **place):
    return capture("it", Capture(**place), answer, PATIENT.__getitem__, window)


@pytest.mark.parametrize(
    ("place", "result"),
    [
        ({"path": "$.status.code"}, "200"),
        ({"path": "$.db[*].id", "pick": "all"}, ["1", "2", "3", "4"]),
        ({"path": "$.db[*].id"}, "1"),
        ({"path": "$.db[*].id", "where": {"name[*].family": "nested"}}, "4"),
        ({"path": "$.db[*].id", "where": {"last": "{patient.family}"}, "pick": "all"}, ["1", "2", "3"]),
        ({"path": "$.db[*].id", "where": {"first": "{patient.given}"}, "pick": "all"}, ["1", "3"]),
        (
            {"path": "$.db[*].id", "where": {"first": "{patient.given}", "born": "/^{patient.dob}/"}, "pick": "only"},
            "1",
        ),
        ({"path": "$.db[*].id", "where": {"last": "!/^o/"}, "pick": "all"}, []),
        ({"path": "$.db[*].id", "sort": "-day", "pick": "all"}, ["2", "4", "1", "3"]),
        ({"path": "$.db[*].id", "sort": "day"}, "3"),
        ({"path": "$.db[*].id", "sort": "-size", "where": {"size": "/./"}, "pick": "all"}, ["2", "1"]),
        ({"path": "$.nosuch", "required": False}, None),
        ({"path": "$.token", "required": False}, None),
    ],
)
def test_a_value_is_taken_from_json(place, result):
    assert taken(reading(ROWS), **{"from": "json"}, **place) == result


@pytest.mark.parametrize(
    ("window", "result"),
    [
        (None, ["1", "2", "3", "4"]),
        (Days(date(2017, 5, 2), date(2017, 5, 2)), ["1"]),
        (Days(date(2017, 5, 2), date(2017, 5, 3)), ["1", "4"]),
        (Days(date(2017, 5, 3), None), ["2", "4"]),
        (Days(None, date(2017, 5, 2)), ["1"]),
        (Days(date(2030, 1, 1), None), []),
    ],
)
def test_rows_outside_the_window_and_rows_without_a_day_are_passed_over(window, result):
    assert taken(reading(ROWS), window, **{"from": "json"}, path="$.db[*].id", between="day", pick="all") == result


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ({"path": "$.db[*].id", "where": {"last": "Nobody"}, "pick": "only"}, "no_match"),
        ({"path": "$.db[*].id", "where": {"last": "O'Brien"}, "pick": "only"}, "ambiguous"),
        ({"path": "$.db[*].id", "where": {"last": "Nobody"}}, "no_data"),
        ({"path": "$.nosuch"}, "unclassified"),
        ({"path": "$.token"}, "unclassified"),
    ],
)
def test_what_is_not_there_or_not_alone_has_a_class(place, kind):
    with pytest.raises(NothingCaptured) as caught:
        taken(reading(ROWS), **{"from": "json"}, **place)
    assert caught.value.kind == kind


def test_values_are_taken_from_headers_cookies_status_text_and_xml():
    answer = reading(
        b'<r xmlns="urn:x"><p id="7"><name>Ann</name></p></r>',
        201,
        [("X-Id", "5"), ("Set-Cookie", "wc_acme_session_id=s1; path=/"), ("Set-Cookie", "b=2")],
    )
    assert taken(answer, **{"from": "header"}, path="x-id") == "5"
    assert taken(answer, **{"from": "cookie"}, path="/_session_id$/") == "s1"
    assert taken(answer, **{"from": "cookie"}, path="b") == "2"
    assert taken(answer, **{"from": "status"}) == "201"
    assert taken(answer, **{"from": "text"}, path='/id="(\\d+)"/') == "7"
    assert taken(answer, **{"from": "xml"}, path="//p/@id") == "7"
    assert taken(answer, **{"from": "xml"}, path="/r/p[1]/name") == "Ann"
    assert taken(answer, **{"from": "xml"}, path="//x:name") == "Ann"
    with pytest.raises(NothingCaptured):
        taken(answer, **{"from": "json"}, path="$.a")


def found(answer, **place):
    return documents(DocumentPlace(**place), answer)


def test_a_document_is_the_whole_answer_or_a_part_of_it():
    assert found(reading(b"\xef\xbb\xbf<a/>"), **{"from": "text"}) == [b"\xef\xbb\xbf<a/>"]
    assert found(reading({"d": ["<a/>", "<b/>"]}), **{"from": "json"}, path="$.d[*]") == ["<a/>"]
    assert found(reading({"d": ["<a/>", "<b/>"]}), **{"from": "json"}, path="$.d[*]", pick="all") == ["<a/>", "<b/>"]
    assert found(reading(b"<r><a><b/></a>t</r>"), **{"from": "xml"}, path="/r/*[1]") == [b"<a><b/></a>"]


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (reading(b" \n"), {"from": "text"}),
        (reading({"d": None}), {"from": "json", "path": "$.d"}),
        (reading({"d": ""}), {"from": "json", "path": "$.d"}),
        (reading(b"<html>"), {"from": "json", "path": "$.d"}),
    ],
)
def test_a_document_that_is_missing_matters_only_where_it_is_required(answer, place):
    with pytest.raises(NothingCaptured, match="has no document"):
        found(answer, **place)
    assert found(answer, **place, required=False) == []


ANSWER = reading(ROWS, 200, [("X-lg_status", "Success"), ("X-Empty", "")])


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"status": 200}, True),
        ({"status": [401, 403]}, False),
        ({"header": {"x-LG_status": "Success"}}, True),
        ({"header": {"X-lg_status": "success"}}, False),
        ({"header": {"X-lg_status": "/^success$/i"}}, True),
        ({"header": {"X-lg_status": "!/^success$/i"}}, False),
        ({"header": {"X-lg_status": "!/^success$/"}}, True),
        ({"header": {"X-Nosuch": "!/./"}}, False),
        ({"header": {"X-Nosuch": "/.*/"}}, False),
        ({"header": {"X-Empty": "!/./"}}, True),
        ({"json": {"$.status.code": "200"}}, True),
        ({"json": {"$.status.code": "!/^2/"}}, False),
        ({"json": {"$.nosuch": "!/^2/"}}, False),
        ({"json": {"$.token": "/./"}}, False),
        ({"json": {"$.status.messages[*]": "two"}}, True),
        ({"json": {"$.status.messages[*]": "!/two/"}}, False),
        ({"text": "O'Brien"}, True),
        ({"text": "/nested/"}, False),
        ({"text": "/nested/i"}, True),
        ({"text": "!/nothing like it/"}, True),
        ({"present": "X-Empty"}, True),
        ({"present": ["X-Empty", "$.token"]}, False),
        ({"present": "$.status", "absent": ["$.nosuch", "X-Nosuch", "//error"]}, True),
        ({"absent": "$.status"}, False),
        ({"status": 200, "json": {"$.status.code": "404"}}, False),
    ],
)
def test_conditions_hold_together_or_not_at_all(conditions, expected):
    assert fits(Conditions(**conditions), ANSWER) is expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"xml": {"//error": "/no unique/i"}}, True),
        ({"xml": {"/r/error/@code": "7"}}, True),
        ({"xml": {"//warning": "!/x/"}}, False),
        ({"present": "//error"}, True),
    ],
)
def test_conditions_look_into_xml_by_local_names(conditions, expected):
    answer = reading(b'<r xmlns="urn:x"><error code="7">No unique patient</error></r>')
    assert fits(Conditions(**conditions), answer) is expected


def test_entities_of_an_answer_are_not_expanded_and_depth_does_no_harm():
    answer = reading(b'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r><e>&e;</e></r>')
    assert "root:" not in "".join(answer.xml_values("//e"))
    assert reading(b"<a>" * 60_000 + b"</a>" * 60_000).xml_values("//a") == []
    assert reading(b"[" * 60_000).json_values("$.a") == []


def test_an_element_with_text_alone_is_that_text_and_one_with_elements_is_taken_whole():
    body = b"<a><box>PHgvPg==</box><box>&lt;y/&gt;</box><box><z/></box><box/></a>"
    place = DocumentPlace.model_validate({"from": "xml", "path": "//box", "pick": "all"})
    assert documents(place, reading(body)) == ["PHgvPg==", "<y/>", b"<box><z/></box>", b"<box/>"]
