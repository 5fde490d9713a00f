"""dossier.html: complete, self-contained, accessible."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from onc_conformance.gate import Exit
from onc_conformance.judging.inspection import Inspected, Sheet
from onc_conformance.report import dossier
from onc_conformance.report.evidence import collect

VOID = {"meta", "link", "br", "input"}


class Page(HTMLParser):
    """Checks nesting while it collects text, ids and links."""

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.words = [], [], [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture(scope="module")
def html(written):
    return (written / "dossier.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.mark.parametrize(
    "said",
    [
        "a dry run; it does not replace the SITE or Inferno report",
        "Acme EHR", "8.4", "Acme & Sons", "15.04.04.1234", "ambulatory",
        "Alice Newman: a full chart (newman)",
        "HTI-1, USCDI v3 (uscdi-v3)", "2026-11-22 22:18:05 UTC", "9.4 s",
        "procedures/g7.yaml", "cd" * 32,
        "(g)(9) All data request", "(g)(7)(ii)(A)(1)About (g)(7)(ii)(A)(1)",
        "What G9-IA-TLV-1 asks for.",
        "The document is of <another> patient",
        "expected Newman, found Larson of *** /ClinicalDocument/recordTarget line 32 in exchange 0002",
        "compare the id asked for",
        "A near name singles out nobody (beyond the stated steps)",
        "1 informational findings, which change no verdict, are in results.json.",
        "no token (G7-I-TLV-1 failed first)",
        "not claimed", "not in this edition", "attestation missing",
        "Attested by R. Proctor on 2026-11-01 (demonstration entry): “All “there”.”",
        "Demonstration entries.",
        "Excused until 2026-12-31: Dated data come later",
        "Suppressed by them: G9-IB-TLV-1 on acme.",
        "excuse for G7-I-TLV-1 is stale",
        "template: no template rules in this version",
        "Not reached: refused the connection",
        "Besides: 1 warnings, 1 codes not judged, 1 suppressed.",
        "no answer · 42 ms",
    ],
)  # fmt: skip
def test_the_page_says(page, said):
    assert said in page.text


def test_each_step_and_exchange_can_be_linked_to(page):
    assert {"G7-I-TLV-1", "G9-IB-TLV-2", "x-0001", "x-0002", "x-0003"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_every_link_leads_somewhere_in_this_folder(page, written):
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif link != "data:,":
            assert (written / link).is_file(), link


def test_a_finding_leads_to_its_exchange_and_on_to_the_evidence(page):
    assert page.links.count("#x-0002") == 3  # a failure, a warning, and the list of the failed step
    assert "evidence/0002.json" in page.links
    assert "evidence/0002.response.xml" in page.links


def test_the_page_needs_no_script_and_no_other_host(html):
    assert "<script" not in html
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", html)
    assert "@import" not in html
    assert "url(" not in html


def test_the_page_can_be_read_by_everyone(page):
    html = next(attributes for tag, attributes in page.tags if tag == "html")
    assert html["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    heads = [attributes for tag, attributes in page.tags if tag == "th"]
    assert heads
    assert all(attributes.get("scope") in ("col", "row", "rowgroup") for attributes in heads)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("caption") == tags.count("table")
    assert page.tags[tags.index("a")][1]["href"] == "#steps"
    assert [tags.count(landmark) for landmark in ("header", "nav", "main", "footer", "h1", "title")] == [1] * 6
    for tag, attributes in page.tags:
        if tag == "nav" or attributes.get("role") == "region":
            assert attributes.get("aria-label") or attributes["aria-labelledby"] in page.ids
        if tag == "section":
            assert attributes["aria-labelledby"] in page.ids
        if "tabindex" in attributes:
            assert attributes["tabindex"] in ("0", "-1")


def test_each_step_stands_by_its_paragraph_with_its_outcome_on_each_target(html):
    table = html[html.index('id="paragraphs"') : html.index("What the outcomes mean")]
    rows = [Page(row) for row in re.findall(r"<tr>.*?</tr>", table, flags=re.DOTALL)]
    told = [row.text.strip() for row in rows]
    assert "(g)(7)(ii)(A)(1) About (g)(7)(ii)(A)(1)" in told
    row = next(row for row in rows if row.text.strip().startswith("G7-I-TLV-2"))
    assert row.links == ["#G7-I-TLV-2"]
    assert re.sub(r"\s", "", row.text) == "G7-I-TLV-2!error○nottested"
    assert sum(text.startswith("G") for text in told) == 7


def test_a_finding_is_one_click_from_its_exchange_and_from_the_answer(html):
    finding = html[html.index('<ul class="places">') :]
    finding = Page(finding[: finding.index("</ul>") + 5])
    assert finding.links == ["#x-0002", "evidence/0002.response.xml"]


def _luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _colours(html):
    """Colours of text, of what surrounds it, and of lines that tell something, all in #rrggbb."""
    css = html[html.index("<style>") : html.index("</style>")]
    named = {name: value for name, value in re.findall(r"--([a-z]+): (#[0-9a-f]{6})", css) if name not in "tone tint"}
    tones, tints = re.findall(r"--tone: (#[0-9a-f]{6})", css), re.findall(r"--tint: (#[0-9a-f]{6})", css)
    full = re.sub(r"var\(--(\w+)\)", lambda match: named.get(match[1], match[0]), css)
    full = re.sub(r"#fff\b", "#ffffff", full)
    text = re.findall(r"[{; ]color: (#[0-9a-f]{6})", full)
    grounds = re.findall(r"background: (#[0-9a-f]{6})", full)
    lines = re.findall(r"(?:outline|border-left|border-left-color|--tone): (?:[\w.]+ solid )?(#[0-9a-f]{6})", full)
    return {*text, *tones}, {*grounds, *tints}, set(lines)


def test_every_text_is_readable_on_every_ground(html):
    texts, grounds, _ = _colours(html)
    assert len(texts) > 8
    assert len(grounds) > 7
    poor = {(text, ground) for text in texts for ground in grounds if _contrast(text, ground) < 4.5}
    assert poor == set()


def test_focus_and_lines_that_tell_something_can_be_seen_on_every_ground(html):
    _, grounds, lines = _colours(html)
    assert len(lines) > 7
    assert {(line, ground) for line in lines for ground in grounds if _contrast(line, ground) < 3} == set()
    assert "a:focus-visible, [tabindex]:focus-visible { outline: 3px solid" in html
    assert "outline: none" not in html
    assert "outline: 0" not in html


def test_many_findings_are_grouped_and_cut_with_a_word_about_the_rest(run):
    (failed,) = [o for each in run.settlement.steps for o in each.targets if o.outcome == "failed"]
    (scenario,) = failed.scenarios
    finding = scenario.findings[0]
    many = [replace(finding, line=line) for line in range(20)]
    many += [replace(finding, message=f"kind {number}") for number in range(50)]
    told = dossier.objections(replace(failed, scenarios=(replace(scenario, findings=tuple(many)),)))
    assert (len(told.groups), told.more) == (dossier.GROUPS, 51 - dossier.GROUPS)
    assert (told.groups[0].count, len(told.groups[0].places), told.groups[0].more) == (20, 8, 12)


def test_binding_findings_come_first(run):
    (failed,) = [o for each in run.settlement.steps for o in each.targets if o.outcome == "failed"]
    (scenario,) = failed.scenarios
    error = scenario.findings[0]
    both = (replace(error, severity=type(error.severity).WARNING, message="mild"), error)
    told = dossier.objections(replace(failed, scenarios=(replace(scenario, findings=both),)))
    assert [group.example.severity.value for group in told.groups] == ["error", "warning"]


@pytest.mark.parametrize("code", list(Exit))
def test_every_exit_code_has_its_sentence(build, code):
    assert dossier.render(build(exit_code=code).masked(), ()).count('<p class="said">') == 1


def test_a_run_of_nothing_still_makes_a_page(build, tmp_path):
    from onc_conformance.gate import Settlement

    empty = build(
        settlement=Settlement(steps=()), results=(), exchanges=(), patients=(), layers_not_run=(), warnings=()
    )
    page = Page(dossier.render(empty, collect(tmp_path)))
    assert "No step was settled" in page.text
    assert "None were made." in page.text


def test_only_exchanges_the_page_refers_to_are_listed(run, written):
    entries = collect(written / "evidence")
    page = Page(dossier.render(run.masked(), entries))
    assert "Every request made and what came back, in order." in page.text
    stray = replace(entries[0], id="0099")
    page = Page(dossier.render(run.masked(), [*entries, stray]))
    assert "The 3 requests that this page refers to, of 4 made;" in page.text
    assert "x-0099" not in page.ids


def test_a_long_list_of_exchanges_is_cut_but_never_those_of_a_finding(run, written, monkeypatch):
    monkeypatch.setattr(dossier, "CITED", 1)
    page = Page(dossier.render(run.masked(), collect(written / "evidence")))
    assert "Exchanges: 0002 and 1 more in results.json" in page.text
    assert {"x-0001", "x-0002"} == {name for name in page.ids if name.startswith("x-")}


def test_what_only_eyes_can_judge_has_a_box_to_tick(build):
    section = Inspected("Problems (11450-4)", ("Asthma | active",), 2, ("Asthma (snomed 195967001) from 2016",))
    bare = Inspected("Procedures (47519-4)", (), 0, ())
    run = build()
    with_sheet = replace(run.results[0], sheets=(Sheet("newman", "0001", (section, bare)),))
    page = dossier.render(replace(run, results=(with_sheet,)).masked(), [])
    assert page.count('type="checkbox"') == 2
    assert "<li>Asthma | active</li>" in page
    assert "and 2 more rows" in page
    assert "nothing was entered" in page
    assert "Visual inspection" not in dossier.render(replace(run, results=(with_sheet,), bodies=False).masked(), [])
