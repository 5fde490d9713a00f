import base64
import html
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onc_conformance.redaction import MASK, Secrets

TRICKY = "p\"ä& /+s<w>o'rd\\x"
UUID = "81196298-0585-4438-9494-64ddd8015cd6"


def encodings(value):
    raw = value.encode()
    yield from (value, quote(value), quote(value, safe=""), quote_plus(value))
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    yield json.dumps(json.dumps(value))[3:-3]
    yield from (html.escape(value), html.escape(value, quote=False))
    yield from (raw.hex(), raw.hex().upper())
    yield "".join(f"%{byte:02x}" for byte in raw)
    units = value.encode("utf-16-be").hex()
    yield "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    yield "".join(f"\\\\u{units[at : at + 4].upper()}" for at in range(0, len(units), 4))
    yield "".join(f"&#{ord(char)};" for char in value)


def inside_base64(value):
    """Larger base64 texts, each with the characters in it that the value alone decides."""
    raw = value.encode()
    for lead in (b"", b"u", b"us", b"user:"):
        for tail in (b"", b"!", b"!!"):
            first, last = -(-8 * len(lead) // 6), 8 * (len(lead) + len(raw)) // 6
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                whole = encode(lead + raw + tail).decode()
                yield whole, whole[first:last]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=12, max_size=40))
@settings(max_examples=40)
def test_no_encoding_of_a_secret_is_left(value):
    secrets = Secrets({"X_PASS": value})
    for shown in encodings(value):
        text = f"before {shown} after"
        assert shown not in secrets.mask_text(text)
        assert shown.encode() not in secrets.mask_bytes(text.encode())
    for whole, decided in inside_base64(value):
        assert decided not in secrets.mask_text(f"before {whole} after")


@pytest.mark.parametrize("value", [TRICKY, UUID, "abcdefghijkl", "Ünï-cödé-Geheimnis"])
@pytest.mark.parametrize("lead", ["", "x", "xy", "user:"])
@pytest.mark.parametrize("tail", ["", "z", "zz"])
def test_a_secret_inside_a_larger_base64_is_masked_wherever_it_starts(value, lead, tail):
    secrets = Secrets({"X_PASS": value})
    for inner in (value, quote(value, safe=""), json.dumps(value)):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode((lead + inner + tail).encode()).decode()
            for shown in (whole, quote_plus(whole)):
                masked = secrets.mask_text(f"apistring={shown}&x=1")
                assert MASK in masked
                assert len(masked) < len("apistring=user:***zz&x=1") + 16


def test_a_form_a_json_body_and_a_url_are_masked_in_their_own_escapes():
    secrets = Secrets({"X_PASS": TRICKY})
    for body in (
        urlencode({"user": "u", "field": TRICKY}),
        json.dumps({"user": "u", "field": TRICKY}),
        f"<a>{html.escape(TRICKY)}</a>",
        f"https://host/path?user=u&field={quote(TRICKY)}",
    ):
        masked = secrets.mask_text(body)
        assert MASK in masked
        assert "rd" not in masked.replace("field", "")


def test_bytes_that_are_not_utf8_keep_everything_but_the_secret():
    masked = Secrets({"X_PASS": "abcdefghijkl"}).mask_bytes(b"\xff\xfeabcdefghijkl\xe9")
    assert masked == b"\xff\xfe***\xe9"


def test_a_latin_1_secret_is_masked_in_a_latin_1_header():
    secrets = Secrets({"X_PASS": "geheimnisträger"})
    assert secrets.mask_bytes("X: geheimnisträger".encode("latin-1")) == b"X: ***"


@pytest.mark.parametrize(
    "shown",
    [
        "%63orrect-horse-battery", "correct%2dhorse-battery", "correct%25252Dhorse-battery",
        "correct\\u002dhorse-batter\\\\u0079", "correct\\x2Dhorse-battery", "correct&#45;horse&amp;amp;#x2D;battery",
        f"%{'25' * 4}63orrect-horse-battery",
    ],
)  # fmt: skip
def test_a_secret_of_which_only_some_characters_are_escaped_is_masked(shown):
    assert Secrets({"P": "correct-horse-battery"}).mask_text(f"a%20b={shown}&c") == "a%20b=***&c"


def test_a_word_found_innocent_is_looked_at_again_when_a_secret_is_added():
    secrets = Secrets({"P": "correct-horse-battery"})
    text = "staple-and-glue " * 40 + "correct-horse-battery"
    assert secrets.mask_text(text) == "staple-and-glue " * 40 + MASK
    secrets.add("staple-and-glue")
    assert secrets.mask_text(text) == f"{MASK} " * 40 + MASK


def test_longer_secrets_go_first_so_that_no_rest_of_them_stays():
    secrets = Secrets({"A_PASS": "abcdef", "B_PASS": "xyabcdefzz"})
    assert secrets.mask_text("xyabcdefzz abcdef") == "*** ***"


def test_values_under_six_characters_are_masked_only_where_they_are_sent_by_name():
    secrets = Secrets({"X_PASS": "dave"})
    assert secrets.mask_text("login_user=dave&login_passwd=dave") == "login_user=dave&login_passwd=***"
    assert secrets.short == ("X_PASS",)


@pytest.mark.parametrize(
    ("shown", "masked"),
    [
        ("a=1&session_id=abc&b=2", "a=1&session_id=***&b=2"),
        ('{"Password": "da\\"ve", "x": 1}', '{"Password": "***", "x": 1}'),
        ('{"AccessToken":null,"n":1}', '{"AccessToken":null,"n":1}'),
        ('{"api_key": 12345}', '{"api_key": ***}'),
        ("<login_password>x</login_password>\n<b/>", "<login_password>***</login_password>\n<b/>"),
        ('<a password="x" b="y"/>', '<a password="***" b="y"/>'),
        (json.dumps({"inner": '{"Password":"x","b":1}'}), json.dumps({"inner": '{"Password":"***","b":1}'})),
        ("<x:LoginPassword>a b</x:LoginPassword>\n</pwd>\n", "<x:LoginPassword>***</x:LoginPassword>\n</pwd>\n"),
        ("if secret>2 then", "if secret>2 then"),
        ("İstanbul&PassWord=x&pwd=y", "İstanbul&PassWord=***&pwd=***"),
        ('pwd = "a" my_secret-2="b"', 'pwd = "***" my_secret-2="***"'),
        ("https://h/p?access_token=x#f", "https://h/p?access_token=***"),
    ],
)
def test_fields_with_telling_names_are_masked_whatever_they_hold(shown, masked):
    assert Secrets().mask_text(shown) == masked.replace("***", MASK)


def test_a_field_can_be_declared_secret_by_name():
    secrets = Secrets()
    assert secrets.mask_text("pin=1") == "pin=1"
    secrets.add_name("pin")
    assert secrets.mask_text("pin=1&spin=2") == "pin=***&spin=2"


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("Authorization", "Bearer abc", "Bearer ***"),
        ("authorization", "abc", "***"),
        ("Authorization", "Basic c2FyYTpnZWhlaW0tZnJpZWQ=", "Basic ***"),
        ("Authorization", "Basic c2FyYTpnZWhlaW0tZnJpZQ==", "Basic ***"),
        ("Proxy-Authorization", "Basic c2FyYTpnZWhlaW0tZnJpZQ==", "Basic ***"),
        ("Authorization", "Custom realm=x c2FyYTpnZWhlaW0tZnJpZQ==", "Custom ***"),
        (
            "Authorization",
            'Signature keyId="Al",accessToken="t",nonce="n",headers="a b",signature="s="',
            'Signature keyId="Al",accessToken="***",nonce="n",headers="a b",signature="***"',
        ),
        ("Cookie", "a=b; c=d", "a=***; c=***"),
        ("Set-Cookie", "wc_session_id=1; path=/; HttpOnly", "wc_session_id=***; path=/; HttpOnly"),
        ("x-lg_session_id", "1", "***"),
        ("X-Api-Key", "1", "***"),
        ("Content-Type", "text/xml", "text/xml"),
        ("Location", "https://h/?session_id=1", "https://h/?session_id=***"),
    ],
)
def test_headers_keep_what_tells_nothing(name, value, masked):
    assert Secrets().mask_headers([(name, value)]) == [(name, masked)]


def test_what_is_no_secret_stays():
    document = '<code code="38341003" displayName="Hypertension"/><authorization typeCode="AUTH"/>' * 10
    assert Secrets({"X_PASS": UUID}).mask_text(document) == document
