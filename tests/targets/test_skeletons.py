import io
import itertools

import pytest

from onc_conformance import cli
from onc_conformance.findings import UsageError
from onc_conformance.targets.loading import unbound
from onc_conformance.targets.skeletons import QUESTIONS, Choices, asked, new

COMBINATIONS = [
    dict(zip(QUESTIONS, chosen, strict=True)) for chosen in itertools.product(*(q.answers for q in QUESTIONS.values()))
]


def test_whatever_is_chosen_the_description_can_be_read():
    read = 0
    for chosen in COMBINATIONS:
        try:
            choices = Choices(**chosen)
        except UsageError:
            assert chosen["selection"] == "launch_context"
            continue
        text = new("acme", choices)
        assert "@" not in text
        description = unbound(text, "acme.toml").description
        assert description.selection.kind == chosen["selection"]
        assert description.dates.style == chosen["dates"]
        assert (description.ops.category is None) == (chosen["documents"] == "docref")
        kinds = [step.kind for step in description.auth.step]
        assert chosen["auth"] in kinds or chosen["auth"] in {"json", "form", "none"}
        assert text.count("# ") > 10
        read += 1
    assert read > 200


def test_what_is_not_given_is_asked_for():
    out = io.StringIO()
    choices = asked({"auth": "basic", "dates": None}, io.StringIO("\nmaybe\nbase64\n\n"), out)
    assert choices == Choices(auth="basic", documents="base64")
    assert "How is the patient chosen? (search, credential_bound, launch_context) [search] " in out.getvalue()
    assert out.getvalue().count("How does the C-CDA come?") == 2
    assert "How does a client log in?" not in out.getvalue()


def test_an_end_of_input_takes_what_is_usual():
    assert asked({}, io.StringIO(""), io.StringIO()) == Choices()


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"auth": "magic"}, "--auth magic: expected one of json, form, basic,"),
        ({"auth": "json", "selection": "launch_context"}, "--selection launch_context needs a token; expected --auth"),
    ],
)
def test_a_choice_that_cannot_be_is_told(chosen, said):
    with pytest.raises(UsageError, match=said):
        Choices(**chosen)


def test_the_command_takes_flags_and_tells_every_answer(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert cli.main(["targets", "new", "acme", "--auth", "basic", "--documents", "zip", "--dates", "none"]) == 0
    description = unbound(capsys.readouterr().out, "acme.toml").description
    assert description.auth.step[0].kind == "basic"
    assert description.ops.all_data.document.decode == ["zip:*.xml", "strip_bom"]
    assert cli.main(["targets", "new", "acme", "--dates", "sometimes"]) == 2
    assert "--dates sometimes: expected one of pair, prefix_repeat, none" in capsys.readouterr().err
    assert cli.main(["targets", "new", "--help"]) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    for question in QUESTIONS.values():
        assert all(answer in shown for answer in question.answers)


def test_the_command_asks_on_a_terminal(capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal("static\nlaunch_context\nraw\nprefix_repeat\n"))
    assert cli.main(["targets", "new", "acme"]) == 0
    written = capsys.readouterr()
    assert "How does a client log in?" in written.err
    description = unbound(written.out, "acme.toml").description
    assert (description.selection.kind, description.dates.style) == ("launch_context", "prefix_repeat")
