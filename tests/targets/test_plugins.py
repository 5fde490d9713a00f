from datetime import date

import pytest
from tests.targets.acme import ACME, ENV

from onc_conformance import targets
from onc_conformance.findings import UsageError
from onc_conformance.moments import Days
from onc_conformance.targets.loading import load_text

ANN = {"family": "O'Brien", "dob": "1970-05-01"}
HERE = "tests.targets.example_plugins"
SEALED = ACME.replace(
    'document = { from = "json", path = "$.document", decode = ["base64"] }',
    f'document = {{ from = "text" }}\nplugin = "{HERE}:SealedId"',
)
FOLDERS = (
    ACME[: ACME.index("[[ops.category.step]]")]
    + f'[ops.category]\nplugin = "{HERE}:ByFolder"\n'
    + ACME[ACME.index("[[ops.all_data.step]]") :]
).replace('scope = "encounter"', "assumed = true")


def test_a_plugin_changes_a_request_and_its_documents(connect, vendor):
    vendor.instead["/all"] = [(200, b"<body/>", {"Content-Type": "text/xml"})]
    answer = connect(SEALED).session(ANN).all_data()
    assert [each.data for each in answer.documents] == [b"<ClinicalDocument><body/></ClinicalDocument>"]
    assert vendor.heard[-1].query == {"patient": "1p"}


def test_a_plugin_carries_out_an_operation_with_the_session(connect, vendor):
    vendor.instead["/folders"] = [(200, b"f7 f8", {})]
    vendor.instead["/folders/f7/Problems"] = [(200, b"<problems/>", {"Content-Type": "text/xml"})]
    answer = connect(FOLDERS).session(ANN).category("problems", Days(date(2018, 4, 10), None))
    assert [(each.data, each.media_type) for each in answer.documents] == [(b"<problems/>", "text/xml")]
    assert answer.exchanges[-1] == answer.documents[0].exchange
    assert vendor.heard[-2].query == {"patient": "p1", "from": "2018-04-10"}
    assert vendor.heard[-1].headers["authorization"].startswith("Bearer token-number-")


def test_a_refusal_ends_a_plugins_operation(connect, vendor):
    vendor.instead["/folders"] = [(200, b'{"error": "no folders"}', {})]
    answer = connect(FOLDERS).session(ANN).category("problems")
    assert (answer.kind, answer.documents) == ("bad_request", ())


def test_what_is_spoiled_on_purpose_is_spoiled_for_a_plugin_too(connect, vendor):
    session = connect(FOLDERS).session(ANN)
    session.select()
    assert session.altered({"token": "forged"}).category("problems").kind == "auth"
    assert vendor.heard[-1].headers["authorization"] == "Bearer forged"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SEALED.replace(":SealedId", ":Nobody"),
            "ops.all_data.step.0.plugin: tests.targets.example_plugins:Nobody: mod",
        ),
        (
            SEALED.replace(HERE, "no.such"),
            "ops.all_data.step.0.plugin: no.such:SealedId: No module named 'no'; expected",
        ),
        (SEALED.replace(":SealedId", ":ByFolder"), "expected a subclass of onc_conformance.targets.plugins.StepPlugin"),
        (SEALED.replace(":SealedId", ""), "ops.all_data.step.0.plugin: 'tests.targets.example_plugins' is not of the"),
        (
            ACME.replace("[[ops.category.step]]", f'[ops.category]\nplugin = "{HERE}:ByFolder"\n[[ops.category.step]]'),
            "ops.category: an operation has steps, [[ops.NAME.step]], or a plugin, one of them",
        ),
    ],
)
def test_a_plugin_that_is_none_is_named_with_its_line(text, said):
    with pytest.raises(UsageError, match=r"^acme\.toml, line ") as caught:
        load_text(text, "acme.toml", ENV)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Makes an installed package of an entry point."""

    def made(value, name="folders"):
        info = tmp_path / "acme_api-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-api\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[onc_conformance.targets]\n{name} = {value}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))

    return made


def test_a_package_brings_a_whole_target(installed):
    installed(f"{HERE}:description")
    assert "folders" in targets.bundled()
    assert ("folders", "folders", "g7,g8") in targets.listing()
    target = targets.load("folders", {"FOLDERS_URL": "http://127.0.0.1:9"})
    assert (target.source, target.supported) == ("folders.toml", ("problems",))
    assert targets.show("folders").strip().startswith("[target]")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("no_such_package:description", "folders: the package that brings it fails: ModuleNotFoundError"),
        (f"{HERE}:ByFolder", "folders: .* returned ByFolder; expected the text of a description"),
    ],
)
def test_a_package_that_brings_none_is_told_in_one_line(installed, value, said):
    installed(value)
    with pytest.raises(UsageError, match=said):
        targets.load("folders", {})
