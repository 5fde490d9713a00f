"""The closing lines of a run."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from onc_conformance.gate import Settlement
from onc_conformance.report import terminal


def told(run, folder, *, tty, width=120, **options):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=tty, width=width, **options)
    terminal.close(run, folder, console)
    return stream.getvalue()


def test_a_pipe_gets_plain_lines(run, tmp_path):
    lines = told(run, tmp_path, tty=False).splitlines()
    assert lines[0] == "(g)(7) acme: 1 error, 1 not tested, 1 attested, 1 passed"
    assert lines[1] == "(g)(7) brand: 3 not tested, 1 passed"
    assert "failed: G9-IA-TLV-1 [acme] The document is of <another> patient; found Larson of ***" in lines
    assert "error: G7-I-TLV-2 [acme] KeyError: ***" in lines
    assert "brand was not reached: refused the connection" in lines
    assert "warning: ACME_PASS is short" in lines
    assert lines[-2] == "1 warnings, 1 codes not judged, 1 suppressed; 3 requests, 9.4 s"
    assert lines[-1] == f"dossier: {tmp_path / 'dossier.html'}"
    assert all(character.isascii() and character >= " " for line in lines for character in line)


def test_an_excused_step_is_no_objection(run, tmp_path):
    assert "G9-IB-TLV-1" not in told(run, tmp_path, tty=False)


def test_a_terminal_gets_a_table_in_colour(run, tmp_path):
    text = told(run, tmp_path, tty=True, color_system="standard")
    assert "criterion" in text
    assert "───" in text
    assert "\x1b[" in text


def test_the_table_needs_eighty_columns_and_leaves_out_outcomes_that_never_came(run, tmp_path):
    lines = told(run, tmp_path, tty=True, width=80, color_system=None).splitlines()
    heads = [line.split() for line in lines[:3]]
    assert ["criterion", "target", "error", "failed", "tested", "attested", "passed", "applicable"] in heads
    assert ["(g)(7)", "acme", "1", "·", "1", "1", "1", "·"] in [line.split() for line in lines]
    assert max(map(len, lines[:8])) <= 80
    passed = Settlement(steps=tuple(each for each in run.settlement.steps if each.outcome == "not_applicable"))
    lines = told(replace(run, settlement=passed), tmp_path, tty=True, width=80, color_system=None).splitlines()
    assert ["criterion", "target", "failed", "applicable"] in [line.split() for line in lines]


def test_a_long_line_breaks_between_words_on_a_terminal_and_not_at_all_in_a_pipe(build, tmp_path):
    run = build(warnings=("word " * 40 + "end",))
    assert max(map(len, told(run, tmp_path, tty=True, width=80, color_system=None).splitlines()[:-1])) <= 80
    assert f"warning: {'word ' * 40}end" in told(run, tmp_path, tty=False, width=80).splitlines()
    assert f"dossier: {tmp_path / 'dossier.html'}" in told(run, tmp_path, tty=True, width=20, color_system=None)


def test_no_color_is_honoured(run, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = told(run, tmp_path, tty=True, color_system="standard")
    assert "───" in text
    assert "\x1b[3" not in text


def test_what_a_vendor_sent_is_not_taken_for_markup(build, tmp_path):
    assert "[red]x[/red]" in told(build(warnings=("[red]x[/red]",)), tmp_path, tty=True)


def test_many_objections_are_cut_with_a_word_about_the_rest(build, tmp_path, monkeypatch):
    monkeypatch.setattr(terminal, "_SHOWN", 2)
    assert "and 4 more in the reports" in told(build(), tmp_path, tty=False)


def test_an_interrupted_run_says_so(build, tmp_path):
    assert "9.4 s; interrupted" in told(build(interrupted=True), tmp_path, tty=False)


def test_progress_shows_on_a_terminal(tmp_path):
    stream = io.StringIO()
    with terminal.progress(Console(file=stream, force_terminal=True, width=120)) as told_of:
        told_of("All [data] come back [acme]", 3, 7)
    assert "2/7" in stream.getvalue()
    assert "All [data] come back [acme]" in stream.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_long_name_never_pushes_the_bar_or_the_count_away(width):
    stream = io.StringIO()
    with terminal.progress(Console(file=stream, force_terminal=True, width=width, color_system=None)) as told_of:
        told_of("All data come back " * 12, 110, 316)
    assert "109/316" in stream.getvalue()
    assert "━" * 5 in stream.getvalue()
    assert "…" in stream.getvalue()


def test_progress_never_shows_in_a_pipe():
    stream = io.StringIO()
    with terminal.progress(Console(file=stream, force_terminal=False)) as told_of:
        assert told_of is None
    assert stream.getvalue() == ""
