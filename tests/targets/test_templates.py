import hashlib
from datetime import UTC, datetime

import pytest

from onc_conformance.targets.templates import TemplateError, parse

VALUES = {
    "name": "O'Brien & Søn",
    "dob": "1970-05-01",
    "empty": "",
    "now": datetime(2018, 7, 12, 10, 50, 32, tzinfo=UTC),
    "req.body": b"\x00body",
    "list": ["a", "b"],
    "part.x-y": "z",
}


def rendered(text):
    return parse(text).render(VALUES.__getitem__)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{name}", "O'Brien & Søn"),
        ("<{dob}|{dob}>", "<1970-05-01|1970-05-01>"),
        ("{name|url}", "O%27Brien%20%26%20S%C3%B8n"),
        ("{name|b64}", "TydCcmllbiAmIFPDuG4="),
        ("{name|b64url}", "TydCcmllbiAmIFPDuG4"),
        ("{name|hex}", "O'Brien & Søn".encode().hex()),
        ("{name|xmlesc}", "O&#x27;Brien &amp; Søn"),
        ("{name|upper}", "O'BRIEN & SØN"),
        ("{name|lower|upper}", "O'BRIEN & SØN"),
        ('{name|jsonstr}"', "O'Brien & Søn\""),
        ("{dob|date:%m/%d/%Y}", "05/01/1970"),
        ("{dob|date:%Y-%m-%dT%H:%M:%SZ}", "1970-05-01T00:00:00Z"),
        ("{empty|date:%Y}", ""),
        ("{now|httpdate}", "Thu, 12 Jul 2018 10:50:32 GMT"),
        ("{now|unix}", "1531392632"),
        ("{now|date:%Y%m%d}", "20180712"),
        ("{req.body|sha256hex}", hashlib.sha256(b"\x00body").hexdigest()),
        ("{req.body|b64}", "AGJvZHk="),
        ("{list}", "a,b"),
        ("{part.x-y}", "z"),
        (r"/^\d{4}-{dob}/", r"/^\d{4}-1970-05-01/"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("{}", "{}"),
    ],
)
def test_a_template_says_what_it_stands_for(text, result):
    assert rendered(text) == result


def test_what_is_inserted_is_not_read_again():
    assert parse("{a}").render(lambda _: "{b}") == "{b}"


def test_what_is_inserted_can_be_quoted_and_the_rest_stays():
    assert parse("/^{a}$/").render(lambda _: "x.y", quoting=lambda text: text.replace(".", r"\.")) == r"/^x\.y$/"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{name|nosuch}", "unknown filter 'nosuch'"),
        ("{ name }", "is no placeholder"),
        ("{name |url}", "is no placeholder"),
        ("{name|upper:3}", "takes no argument"),
    ],
)
def test_a_template_that_says_nothing_is_refused(text, said):
    with pytest.raises(TemplateError, match=said):
        parse(text)


def test_a_text_that_is_no_date_is_refused_when_it_is_formatted_as_one():
    with pytest.raises(TemplateError, match="'May 1970' is no date"):
        parse("{a|date:%Y}").render(lambda _: "May 1970")


def test_the_names_used_are_known_beforehand():
    assert parse("{a}{b|url}x{a}").names == ("a", "b", "a")
