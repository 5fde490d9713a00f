import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from tests.targets.acme import ACME, ENV
from tests.targets.emulations.base import Emulation, Said

from onc_conformance.exchange import Journal, curl
from onc_conformance.findings import UsageError
from onc_conformance.redaction import Secrets
from onc_conformance.targets import Client
from onc_conformance.targets.loading import load_text

PATIENT = {"family": "Finch", "given": "Ida", "dob": "1972-01-20"}
REST = ACME[ACME.index("[selection]") :]
HEAD = '[target]\nid = "acme"\nbase.api = "{env.ACME_URL}"\n'
KEY = ECKey.generate_key("P-384")


class Server(Emulation):
    """Remembers what it hears; gives out tokens and one patient."""

    issued = "access-token-5e7c"

    def answer(self, asked):
        if asked.path == "/conf":
            return Said({"token_endpoint": f"{self.url}/token"})
        if asked.path == "/token":
            return Said({"access_token": self.issued, "patient": "p9", "token_type": "Bearer"})
        if asked.path == "/patients":
            return Said({"rows": [{"id": "p1", "dob": PATIENT["dob"]}]})
        return Said({"document": base64.b64encode(b"<all/>").decode()})


@pytest.fixture
def server():
    with Server() as running:
        yield running


def described(login, rest=REST):
    return f"{HEAD}{login}\n{rest}"


def client(server, login, rest=REST, **env):
    target = load_text(described(login, rest), "acme.toml", {**ENV, "ACME_URL": server.url, **env})
    return Client(target, Journal(Secrets()), lambda seconds: None)


def complaint(login, rest=REST, **env):
    with pytest.raises(UsageError) as caught:
        load_text(described(login, rest), "acme.toml", {**ENV, **env})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_basic_travels_in_the_usual_header_and_makes_no_request(server):
    talk = client(server, '[[auth.step]]\nkind = "basic"\nuser = "{env.ACME_USER}"\npassword = "{env.ACME_PASS}"')
    session = talk.session(PATIENT)
    assert session.login().exchanges == ()
    assert session.all_data().ok
    pair = base64.b64encode(b"u:correct horse").decode()
    assert {asked.headers["authorization"] for asked in server.heard} == {f"Basic {pair}"}
    assert pair not in "".join(curl(each, talk.journal.secrets) for each in talk.journal.exchanges.values())


def test_a_given_token_travels_as_a_bearer(server):
    session = client(
        server, '[[auth.step]]\nkind = "static"\ntoken = "{env.ACME_TOKEN}"', ACME_TOKEN="given-token"
    ).session(PATIENT)
    assert session.all_data().ok
    assert server.heard[-1].headers["authorization"] == "Bearer given-token"


def test_a_launch_brings_the_patient_with_the_token(server):
    login = '[[auth.step]]\nkind = "static"\ntoken = "{env.ACME_TOKEN}"\npatient = "{env.ACME_PATIENT}"'
    rest = REST.replace('kind = "search"', 'kind = "launch_context"')
    rest = rest[: rest.index("[[ops.select_patient")] + rest[rest.index("[[ops.list_encounters") :]
    session = client(server, login, rest, ACME_TOKEN="given-token", ACME_PATIENT="p5").session(PATIENT)
    assert session.select().captures == {"pat_id": "p5"}
    assert session.all_data().ok
    assert server.heard[-1].query["patient"] == "p5"
    other = client(server, login, rest, ACME_TOKEN="t", ACME_PATIENT="p5").session(PATIENT, {"ACME_PATIENT": "p6"})
    assert other.select().captures == {"pat_id": "p6"}


def test_a_launch_may_bring_the_patient_in_the_token_answer(server):
    login = (
        '[[auth.step]]\nkind = "oauth2_client"\ntoken_url = "{base.api}/token"\nclient_id = "me"\n'
        'client_secret = "{env.ACME_PASS}"\ncapture.token = { from = "json", path = "$.access_token", secret = true }\n'
        'capture.pat_id = { from = "json", path = "$.patient" }'
    )
    rest = REST.replace('kind = "search"', 'kind = "launch_context"')
    rest = rest[: rest.index("[[ops.select_patient")] + rest[rest.index("[[ops.list_encounters") :]
    assert client(server, login, rest).session(PATIENT).select().captures == {"pat_id": "p9"}


@pytest.mark.parametrize("auth", ["", 'client_auth = "body"'])
def test_client_credentials_buy_a_token(server, auth):
    login = (
        '[[auth.step]]\nkind = "oauth2_client"\ntoken_url = "{base.api}/token"\nclient_id = "my:id"\n'
        f'client_secret = "{{env.ACME_SECRET}}"\nscope = "read write"\nform = {{ audience = "it" }}\n{auth}'
    )
    talk = client(server, login, ACME_SECRET="s+cret /value")
    assert talk.session(PATIENT).all_data().ok
    asked = server.heard[0]
    form = {"grant_type": "client_credentials", "scope": "read write", "audience": "it"}
    pair = base64.b64encode(b"my%3Aid:s%2Bcret%20%2Fvalue").decode()
    if auth:
        assert asked.form == form | {"client_id": "my:id", "client_secret": "s+cret /value"}
        assert "authorization" not in asked.headers
    else:
        assert asked.form == form
        assert asked.headers["authorization"] == f"Basic {pair}"
    assert server.heard[-1].headers["authorization"] == f"Bearer {server.issued}"
    shown = "".join(curl(each, talk.journal.secrets) for each in talk.journal.exchanges.values())
    assert pair not in shown
    assert "s%2Bcret" not in shown
    assert server.issued not in shown


@pytest.mark.parametrize("where", ['discover = "{base.api}/conf"', 'token_url = "{base.api}/token"'])
def test_a_signed_assertion_buys_a_token(server, where, tmp_path):
    file = tmp_path / "jwk.json"
    file.write_text(json.dumps(KEY.as_dict(private=True)), encoding="utf-8")
    login = (
        f'[[auth.step]]\nkind = "oauth2_jwt"\n{where}\nclient_id = "me"\nkey = "{{env.ACME_JWK}}"\nalg = "ES384"\n'
        '[auth.refresh]\non = ["auth"]\nttl_s = 300'
    )
    talk = client(server, login, ACME_JWK=str(file))
    assert talk.session(PATIENT).all_data().ok
    assert talk.session(PATIENT).all_data().ok
    sent = [asked.form for asked in server.heard if asked.path == "/token"]
    claims = [jwt.decode(form["client_assertion"], KEY, algorithms=["ES384"]).claims for form in sent]
    assert {each["aud"] for each in claims} == {f"{server.url}/token"}
    assert claims[0]["jti"] != claims[1]["jti"]
    assert sent[0]["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert sent[0]["client_assertion"] not in "".join(
        curl(each, talk.journal.secrets) for each in talk.journal.exchanges.values()
    )


def test_a_login_grows_old(server, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("onc_conformance.access.sessions.time.monotonic", lambda: now[0])
    login = (
        '[[auth.step]]\nkind = "oauth2_client"\ntoken_url = "{base.api}/token"\nclient_id = "me"\n'
        'client_secret = "{env.ACME_PASS}"\n[auth.refresh]\nttl_s = 60'
    )
    session = client(server, login).session(PATIENT)
    for passed in (0.0, 59.0, 61.0):
        now[0] = passed
        assert session.all_data().ok
    assert [asked.path for asked in server.heard].count("/token") == 2


def test_elements_are_put_first_into_the_root_of_an_xml_body(server):
    rest = REST.replace(
        'url = "{base.api}/all"\nquery = { patient = "{pat_id}" }',
        'method = "POST"\nurl = "{base.api}/all"\n'
        """xml = '<?xml version="1.0"?><!-- > --><q a="/>"><p>{pat_id}</p></q>'""",
    )
    apply = '[auth.apply.xml]\nsecurity = "<key>{env.ACME_PASS|xmlesc}</key>"\naccount = "7"'
    assert client(server, apply, rest).session(PATIENT).all_data().ok
    assert server.heard[-1].body.decode() == (
        '<?xml version="1.0"?><!-- > --><q a="/>"><security><key>correct horse</key></security><account>7</account>'
        "<p>p1</p></q>"
    )


def test_an_empty_root_is_opened_for_them(server):
    rest = REST.replace(
        'url = "{base.api}/all"\nquery = { patient = "{pat_id}" }',
        'method = "POST"\nurl = "{base.api}/all"\nxml = "<q/>"',
    )
    assert client(server, '[auth.apply.xml]\na = "1"', rest).session(PATIENT).all_data().ok
    assert server.heard[-1].body == b"<q><a>1</a></q>"


@pytest.mark.parametrize(
    ("login", "said"),
    [
        (
            'kind = "oauth2_code"',
            'auth.step.0.kind: oauth2_code is called smart here; expected kind = "smart" with the client',
        ),
        (
            'kind = "magic"',
            "auth.step.0.kind: expected 'http', 'oauth2_client', 'oauth2_jwt', 'basic', 'static' or 'smart'",
        ),
        ('kind = "smart"\nclient = "symmetric"', 'auth.step.0: kind = "smart" needs login'),
        (
            'kind = "smart"\nclient = "public"\nlogin = "patient"',
            "auth.step.0.client: there is no [smart.client.public]",
        ),
        ('kind = "basic"\nuser = "x"', 'auth.step.0: kind = "basic" needs password'),
        ('kind = "static"\ntoken = "x"\nurl = "{base.api}"', 'auth.step.0: kind = "static" takes no url'),
        ('kind = "static"\ntoken = "{nope}"', "auth.step.0.token: nothing is called {nope} here"),
        ('url = "{base.api}"\nuser = "x"', 'auth.step.0: kind = "http" takes no user'),
        ('method = "GET"', 'auth.step.0: kind = "http" needs url'),
        ('kind = "oauth2_client"\nclient_id = "x"\nclient_secret = "y"', "needs token_url or discover, one of them"),
        (
            'kind = "oauth2_jwt"\ntoken_url = "{base.api}"\nclient_id = "x"\nkey = "y"\nalg = "HS256"',
            "auth.step.0.alg: expected 'RS384' or 'ES384', found 'HS256'",
        ),
        (
            'kind = "oauth2_jwt"\ntoken_url = "{base.api}"\nclient_id = "x"\nkey = "{env.ACME_JWK}"\nalg = "RS384"',
            "auth.step.0.key: /nowhere.json: No such file or directory; expected a JWK file",
        ),
        (
            """kind = "oauth2_client"
            token_url = "{base.api}"
            client_id = "x"
            client_secret = "y"
            capture.other = { from = "json", path = "$.access_token" }""",
            "nothing is called {token} here",
        ),
    ],
)
def test_a_login_that_is_not_described_right_is_named_with_its_line(login, said):
    found = complaint(f"[[auth.step]]\n{login}", ACME_JWK="/nowhere.json")
    assert said in found
    assert found.startswith("acme.toml, line ")
