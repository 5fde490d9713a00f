import pytest
from tests.targets.acme import ACME, ENV, with_line, with_other

from onc_conformance import targets
from onc_conformance.findings import UsageError
from onc_conformance.targets.loading import load_text


def load(text, env=ENV):
    return load_text(text, "acme.toml", env)


def complaint(text, env=ENV):
    with pytest.raises(UsageError) as caught:
        load(text, env)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_description_becomes_a_target():
    target = load(ACME)
    assert (target.id, target.title, target.criteria) == ("acme", "acme", ("g7", "g8", "g9"))
    assert target.base_urls == ("http://127.0.0.1:9",)
    assert target.supported == ("problems", "vital_signs", "assessment_plan", "goals")
    assert target.secrets == ("correct horse",)
    assert target.warnings == ()
    assert target.documentation("api") is None
    assert not target.missing_optional


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (with_line('id = "login"', 'methd = "POST"'), "line 8: auth.step.0.methd: unknown key; expected one of id, me"),
        (with_line("[target]", "nosuch = 1"), "line 3: target.nosuch: unknown key; expected one of id, title, base, "),
        (with_line("[target]", "title = 1"), "line 3: target.title: expected a text, found 1"),
        (with_line("[target]", "tls_verify = 3"), "line 3: target.tls_verify: expected true or false, found 3"),
        (with_other('id = "acme"', 'id = "A!"'), "line 3: target.id: 'A!' is not of the form ^[a-z][a-z0-9_-]*$"),
        (with_other('id = "acme"', ""), "line 2: target.id: this key is missing"),
        ("", "target: this key is missing"),
        (
            with_other('kind = "search"', 'kind = "launch"'),
            "line 21: selection.kind: expected 'search', 'credential_bound' or 'launch_context', found 'launch'",
        ),
        (with_other('problems = "', 'problem = "'), "line 50: categories.problem: unknown key; expected one of pat"),
        (with_other('problems = "Problems"', "problems = 3"), "line 50: categories.problems: expected a table, found "),
        (with_other('problems = "Problems"', "problems = {}"), "line 50: categories.problems: a category needs a name"),
        (with_other("status = [401]", ""), "line 55: error.0: no condition; expected status, header, json, xml, text"),
        (with_other("status = [401]", 'status = ["x"]'), "line 57: error.0.status.0: expected a whole number, found '"),
        (with_other('"/./"', '"/(/"'), "line 65: error.2.json.$.error: '/(/' is no regular expression"),
        (with_other('"$.error"', '"$.[error"'), "line 63: error.2: '$.[error' is no JSONPath"),
        (with_other('path = "$.token"', 'path = "$.[token"'), "line 11: auth.step.0.capture.token: '$.[token' is no J"),
        (with_other('path = "$.token"', 'pick = "all"'), 'line 11: auth.step.0.capture.token: from = "json" needs a p'),
        (with_other('"base64"', '"base32"'), "line 47: ops.all_data.step.0.document.decode.0: unknown step 'base32'"),
        (with_other('"base64"', '"zip"'), "line 47: ops.all_data.step.0.document.decode.0: 'zip': zip and xml_child"),
        (
            with_other("omit_empty = true", 'form = { a = "1" }'),
            'line 38: ops.category.step.0: a GET carries no form; use query, or method = "POST"',
        ),
        (
            with_other("form = { user", 'raw = "x"\nform = { user'),
            "line 6: auth.step.0: a request has one body, this has form and raw; keep one",
        ),
        (with_other('"pair"', '"pair"\nas = "body"'), 'line 39: ops.category.step.0: dates.as = "body" puts the dates'),
        (with_other('"pair"', '"pair"\nsingle = "eq"'), 'line 23: dates: single = "eq" does not fit style = "pair"'),
        (with_other('"only", where', '"only", sort = "x", where').replace("$.rows[*].id", "$.id", 1), "line 31: ops.s"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_key_and_what_was_expected(text, expected):
    said = complaint(text)
    assert said.startswith("acme.toml")
    assert expected in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            with_other('"{patient.family}" }', '"{patient.fmily}" }'),
            "query.family: nothing is called {patient.fmily} here; did you mean {patient.family}?",
        ),
        (with_other("{token}", "{pat_id}"), "line 14: auth.apply.headers.Authorization: {pat_id} is used before its c"),
        (with_line('id = "login"', 'let.x = "{token}"'), "line 8: auth.step.0.let.x: {token} is used before its captu"),
        (with_other("{pat_id}", "{encounter_ids}"), "ops.list_encounters.step.0.query.patient: {encounter_ids} is use"),
        (
            with_other('name = "{category}"', 'name = "{encounter_ids}"'),
            "line 40: ops.category.step.0.query.name: {encounter_ids} is used before its capture",
        ),
        ('[vars]\na = "{b}"\nb = "{a}"\n' + ACME, "line 2: vars.a: refers to itself by way of a -> b -> a"),
        (with_other("{env.ACME_URL}", "{patient.id}"), "line 4: target.base.api: {patient.id} cannot be used here"),
        (with_other("capture.token", "capture.category"), "line 11: auth.step.0.capture.category: 'category' means so"),
        (with_other("capture.pat_id", "capture.other"), "line 21: selection.kind: no step captures pat_id"),
        (with_other('pick = "all"', 'pick = "first"'), 'line 51: categories.goals.scope: scope = "encounter" needs op'),
        (with_line('url = "{base.api}/all"', 'sign = "x"'), "line 46: ops.all_data.step.0.sign: there is no [sign.x]"),
        (
            with_line('url = "{base.api}/all"', 'foreach = "pat_id"\nas = "one"'),
            "line 46: ops.all_data.step.0.foreach: 'pat_id' is no list captured before",
        ),
        (
            ACME + '[[negative]]\nop = "category"\nexpect = ["auth"]\nmutate = { set = { nosuch = "1" } }',
            "line 69: negative.0.mutate: no step of category uses 'nosuch'",
        ),
        (
            ACME + '[[negative]]\nop = "category"\nexpect = ["auth"]\nmutate = { no_refresh = true }',
            "line 69: negative.0.mutate: spoils nothing",
        ),
        (
            ACME + '[[ops.all_data.step]]\nurl = "{base.api}"\ndocument = { from = "text" }',
            "ops.all_data.step.1: the last step, and no other, says where the document is",
        ),
        (
            with_line('url = "{base.api}/all"', 'sign = "x"')
            + '\n[sign.x]\nkey = "k"\nparts = [["a", "{part.b}"], ["b", "1"]]',
            "line 69: sign.x.parts.0: nothing is called {part.b} here",
        ),
    ],
)  # fmt: skip
def test_a_name_that_stands_for_nothing_yet_is_found_before_any_request(text, expected):
    assert expected in complaint(text)


def test_unset_variables_are_all_named_at_once():
    assert complaint(ACME, {"ACME_USER": "u"}) == (
        "acme.toml, line 4: target.base.api: ACME_URL and ACME_PASS are not set; "
        "set them in the environment, or in the file given with --env-file"
    )
    assert "ACME_PASS is not set; set it" in complaint(ACME, ENV | {"ACME_PASS": ""})


def test_variables_of_documentation_and_misuses_may_be_unset():
    text = (
        ACME
        + '[[negative]]\nop = "category"\nexpect = ["auth"]\nmutate = { set = { token = "{env.ACME_OLD}" } }\n'
        + '[[negative]]\nop = "all_data"\nexpect = ["auth"]\nmutate = { unset = "token" }\n'
        + '[documentation]\napi = "{env.ACME_DOCS}"\nitems.syntax = "#syntax"\n'
    )
    target = load(text)
    assert target.missing_optional == {"documentation.api": ("ACME_DOCS",), "negative.0": ("ACME_OLD",)}
    assert target.documentation("api") is None
    assert target.documentation_item("syntax") == "#syntax"
    assert target.documentation_item("dates") is None
    assert [misuse.op for misuse in target.misuses()] == ["all_data"]
    complete = load(text, ENV | {"ACME_DOCS": "https://x.example/", "ACME_OLD": "old"})
    assert complete.documentation("api") == "https://x.example/"
    assert [misuse.op for misuse in complete.misuses("category")] == ["category"]


def test_secrets_are_the_declared_names_or_those_that_sound_so():
    env = ENV | {"ACME_PASS_2": "battery", "ACME_USER": "someone"}
    assert load(ACME, env).named_secrets == {"ACME_PASS": "correct horse", "ACME_PASS_2": "battery"}
    declared = load(with_line("[target]", 'secrets = ["ACME_USER"]'), env)
    assert declared.named_secrets == {"ACME_USER": "someone"}


def test_a_short_secret_is_warned_of():
    (warning,) = load(ACME, ENV | {"ACME_PASS": "dave"}).warnings
    assert warning.startswith("acme: ACME_PASS has fewer than 6 characters")


def test_the_date_policy_of_a_class_overrides_that_of_all():
    text = with_other('problems = "Problems"', 'problems = { name = "P", date_policy = "overlap" }')
    both = load(text.replace('style = "pair"', 'style = "pair"\npolicy = { goals = "ignore", default = "filter" }'))
    assert [both.date_policy(kind) for kind in ("problems", "goals", "immunizations")] == [
        "overlap",
        "ignore",
        "filter",
    ]
    one = load(text.replace('style = "pair"', 'style = "pair"\npolicy = "encounter"'))
    assert [one.date_policy(kind) for kind in ("problems", "goals")] == ["overlap", "encounter"]
    assert load(ACME).date_policy("goals") is None


def test_claimed_criteria_are_taken_as_they_are():
    assert load(with_line("[target]", 'criteria = ["g9"]')).criteria == ("g9",)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a = \n", "line 1: not TOML: Invalid value"),
        (b"a = 1\nb = [1,\n", "line 3: not TOML: "),
        (b"\xff\xfe\x00", "byte 0 is not UTF-8; expected a target description in TOML"),
        (b"\x00\x01binary", "line 1: not TOML: "),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_its_line(tmp_path, content, expected):
    path = tmp_path / "acme.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        targets.load(str(path), ENV)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)


def test_a_file_that_is_not_there_and_a_directory_are_refused(tmp_path):
    with pytest.raises(UsageError, match="acme: No such file or directory; expected a TOML file or a bundled target"):
        targets.load("acme", ENV)
    with pytest.raises(UsageError, match="a directory; expected a target description"):
        targets.load(str(tmp_path), ENV)
    with pytest.raises(UsageError, match="cannot be read"):
        targets.load("nul\0byte", ENV)


def test_a_file_is_read_by_its_path(tmp_path):
    path = tmp_path / "acme.toml"
    path.write_text("\N{BOM}" + ACME, encoding="utf-8")
    assert targets.load(str(path), ENV).id == "acme"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            with_other('end = "to"', 'end = "from"'),
            "dates: start and end are both 'from'; a pair needs two",
        ),
        (
            with_other(
                'style = "pair"\nstart = "from"\nend = "to"',
                'style = "prefix_repeat"\nstart = "d"\nend = "d"\nas = "var"',
            ),
            'line 23: dates: a name given twice does not go into as = "var"; expected query or form',
        ),
    ],
)
def test_dates_that_cannot_be_sent_are_named(text, said):
    assert said in complaint(text)
