import io
import json
import tomllib

import pytest
from tests.targets.acme import ACME

from onc_conformance import targets
from onc_conformance.checking import check
from onc_conformance.findings import UsageError
from onc_conformance.gate import Exit
from onc_conformance.targets import schema
from onc_conformance.targets.catalogue import Row
from onc_conformance.targets.loading import load_text, unbound
from onc_conformance.targets.target import variables
from onc_conformance.targets.terms import CCDS

ANN = {"family": "O'Brien", "dob": "1970-05-01"}
ENV = {
    "webchart": {"WC_URL": "http://127.0.0.1:9/webchart.cgi", "WC_USER": "u", "WC_PASS": "correct horse"},
    "ehryourway": {"EYW_BASE": "http://127.0.0.1:9/", "EYW_ID": "u", "EYW_PASS": "correct horse"},
}
OPTIONAL = {
    "webchart": {"WC_DOCS": "http://x.example/", "WC_TERMS": "http://x.example/", "WC_EXPIRED_SID": "expired session"},
    "ehryourway": {
        "EYW_DOCS": "http://x.example/",
        "EYW_TERMS": "http://x.example/",
        "EYW_EXPIRED_TOKEN": "expired token",
    },
}


def test_the_bundled_descriptions_are_listed():
    assert targets.bundled() == [
        "aidbox", "canvas", "docref", "ehryourway", "elation", "fhir", "nextgen-office", "officeemr", "oracle",
        "ppoffice", "rxnt", "webchart",
    ]  # fmt: skip
    assert ("docref", "FHIR $docref", "g7,g9") in targets.listing()
    assert ("rxnt", "RXNT", "g7,g8,g9") in targets.listing()
    assert [row[0] for row in targets.listing()] == targets.bundled()


@pytest.mark.parametrize("name", targets.bundled())
def test_a_bundled_description_explains_every_variable_and_says_what_is_assumed(name):
    text = targets.show(name)
    comment = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    for _, variable in variables(unbound(text, name).description):
        assert variable in comment, f"{variable} is explained nowhere"
    if "Written from the vendor" in text:
        assert "# Documented:" in text
        assert "# Assumed:" in text or "Assumed: " in comment


@pytest.mark.parametrize("name", sorted(ENV))
def test_a_bundled_description_offers_everything_of_the_common_data_set(name):
    target = targets.load(name, ENV[name])
    assert set(CCDS) <= set(target.supported)
    assert target.date_policy("problems") is None
    assert set(target.description.documentation.items) == {
        "syntax", "functions", "parameters", "returns", "exceptions", "components", "dates", "registration", "terms",
    }  # fmt: skip
    assert target.product.name
    assert target.product.chpl_id == ""


@pytest.mark.parametrize("name", sorted(ENV))
def test_a_bundled_description_needs_only_its_login(name):
    missing = {variable for names in targets.load(name, ENV[name]).missing_optional.values() for variable in names}
    assert missing == set(OPTIONAL[name])
    complete = targets.load(name, ENV[name] | OPTIONAL[name])
    assert not complete.missing_optional
    assert {misuse.op for misuse in complete.misuses()} == {"select_patient", "category", "all_data"}
    assert set(complete.secrets) >= {
        "correct horse",
        *(OPTIONAL[name][key] for key in OPTIONAL[name] if "EXPIRED" in key),
    }


@pytest.mark.parametrize("name", sorted(ENV))
def test_a_bundled_description_is_shown_as_it_is_and_loads_from_a_copy(name, tmp_path):
    copy = tmp_path / "mine.toml"
    copy.write_text(targets.show(name), encoding="utf-8")
    assert targets.load(str(copy), ENV[name]).description == targets.load(name, ENV[name]).description


def test_only_bundled_descriptions_are_shown():
    with pytest.raises(
        UsageError, match="nosuch: no bundled target; expected one of aidbox, canvas, docref, ehryourway,"
    ):
        targets.show("nosuch")


def test_a_new_description_loads_once_its_variables_are_set():
    text = targets.new("acme-two")
    with pytest.raises(UsageError, match="ACME_TWO_URL, ACME_TWO_USER and ACME_TWO_PASS are not set"):
        load_text(text, "acme-two.toml", {})
    env = {"ACME_TWO_URL": "http://127.0.0.1:9", "ACME_TWO_USER": "u", "ACME_TWO_PASS": "correct horse"}
    target = load_text(text, "acme-two.toml", env)
    assert target.id == "acme-two"
    assert target.criteria == ("g7", "g8", "g9")
    assert target.missing_optional == {"documentation.api": ("ACME_TWO_DOCS",)}


@pytest.mark.parametrize("name", ["", "Acme", "a b", "../x", "1x"])
def test_a_new_description_needs_a_plain_name(name):
    with pytest.raises(UsageError, match="not a name for a target"):
        targets.new(name)


def test_the_schema_is_the_one_of_the_models():
    kept = schema.PATH.read_text(encoding="utf-8")
    assert kept == schema.text(), "run python -m onc_conformance.targets.schema"


def test_the_schema_knows_the_keys_as_they_are_written():
    definitions = json.loads(schema.text())["$defs"]
    assert {"json", "as", "let"} <= set(definitions["Step"]["properties"])
    assert "from" in definitions["Capture"]["required"]
    assert definitions["Step"]["additionalProperties"] is False
    for name in targets.bundled():
        tables = tomllib.loads(targets.show(name))
        assert set(tables) <= set(json.loads(schema.text())["properties"])


def rows(client, patient=ANN):
    return list(targets.check(client, patient))


def test_a_check_tells_what_works_what_is_assumed_and_what_is_missing(connect):
    found = rows(connect())
    assert [row.outcome for row in found if row.what in {"log in", "select_patient", "all_data"}] == ["ok"] * 3
    assert Row("select_patient", "ok", "pat_id p1; HTTP 200 application/json", "0003") in found
    assert Row("category problems", "ok", "1 document(s), 20 bytes; <Problems>; HTTP 200 text/xml", "0004") in found
    assert Row("categories", "warning", "assumed, not documented: vital_signs") in found
    assert any(row.detail.startswith("no request for patient_name, sex, ") for row in found)
    assert any(row.what == "all_data, 1900-01-01 to 2100-12-31" and row.outcome == "ok" for row in found)


def test_a_check_asks_for_every_category(connect):
    asked = [row.what for row in rows(connect()) if row.what.startswith("category ")]
    assert asked == [f"category {name}" for name in ("problems", "vital_signs", "assessment_plan", "goals")]


def test_a_check_stops_where_nothing_can_follow(connect):
    refused = rows(connect(env={"ACME_PASS": "wrong password"}))
    assert (refused[-1].what, refused[-1].outcome, refused[-1].detail) == ("log in", "failed", "auth: HTTP 401")
    nobody = rows(connect(), ANN | {"family": "Nobody"})
    assert (nobody[-1].what, nobody[-1].outcome) == ("select_patient", "failed")
    alone = rows(connect(), None)
    assert (alone[-1].what, alone[-1].outcome) == ("select_patient", "skipped")


def test_a_check_warns_of_short_secrets_and_unset_variables(connect):
    text = ACME + '[documentation]\napi = "{env.ACME_DOCS}"\n'
    found = rows(connect(text, env={"ACME_PASS": "dave"}))
    assert any(row.what == "secrets" and "ACME_PASS has fewer than 6 characters" in row.detail for row in found)
    assert Row("documentation.api", "warning", "not tried: ACME_DOCS not set") in found


def test_an_assumed_category_that_is_refused_is_no_failure(connect, vendor):
    vendor.instead["/category"] = [(200, b"<p/>", {}), (200, b'{"error": "unknown section"}', {})]
    found = {row.what: row.outcome for row in rows(connect())}
    assert found["category vital_signs"] == "warning"


def test_a_check_tells_what_is_reachable_and_what_is_missing(connect, vendor):
    vendor.instead["/docs"] = [(200, b"<html/>", {"Content-Type": "text/html"})]
    text = ACME + '[documentation]\napi = "{env.ACME_URL}/docs"\nitems.syntax = "#syntax"\n'
    found = {row.what: row for row in rows(connect(text))}
    assert found["base.api"].outcome == "ok"
    assert found["base.api"].detail == f"{vendor.url} answers: HTTP 401"
    assert (found["documentation.api"].outcome, found["documentation.api"].detail) == (
        "ok",
        f"{vendor.url}/docs: HTTP 200 text/html",
    )
    assert found["documentation"].detail == "missing: terms, so its steps cannot be tested"
    assert found["documentation.items"].detail.startswith("missing: functions, parameters, ")
    assert found["product"].detail == "missing on the report: name, version, developer, setting"
    assert found["dates.policy"].outcome == "warning"
    assert "error" not in found


def test_a_check_names_an_address_that_nobody_answers_at(connect):
    found = rows(connect(env={"ACME_URL": "http://127.0.0.1:9"}))
    row = next(row for row in found if row.what == "base.api")
    assert row.outcome == "warning"
    assert "refuses connections" in row.detail


def test_the_facts_to_enter_are_listed_by_class(tmp_path):
    out = io.StringIO()
    assert check("webchart", None, ["tiny"], out, data=True) == 0
    told = out.getvalue()
    assert "tiny-a: Ida Finch: one or two facts of each class (ambulatory)" in told
    assert "  Patient: Finch, Ida; born 1972-01-20; female" in told
    assert "    1 Short Street, Forest Grove, OR, 97116, US" in told
    assert "  problems\n    Essential hypertension (disorder)" in told
    assert "no fact of" not in told
    bare = tmp_path / "bare.toml"
    bare.write_text(
        '[[patient]]\nid = "x"\ntitle = "X"\nname = { family = "X", given = ["Y"] }\nbirth_date = "1980-01-01"\n'
        'sex = "male"\n',
        encoding="utf-8",
    )
    out = io.StringIO()
    check("webchart", None, [str(bare)], out, data=True)
    assert "no fact of: " in out.getvalue()
    assert "fewer than two dated days" in out.getvalue()


def test_a_check_of_a_target_that_is_not_there_ends_as_a_run_would(monkeypatch):
    for name, value in {"CANVAS_URL": "http://127.0.0.1:9", "CANVAS_TOKEN": "token-1234"}.items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    assert check("canvas", None, ["tiny"], out, data=False) == Exit.UNREACHABLE
    assert "failed   select_patient: unreachable: 127.0.0.1:9 refuses connections" in out.getvalue()
    assert "ok       log in: no request made" in out.getvalue()
