"""The Allure report as one page: no analytics, nobody asked, and the dossier where there is no Node."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from onc_conformance.findings import UsageError
from onc_conformance.report import offline

TOOLS = Path(__file__).parents[2] / "tools" / "allure"
CHROMIUM = shutil.which("chromium")
ANALYTICS = """<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        function gtag(){dataLayer.push(arguments);}
        gtag('config', 'G-1', {"report": "awesome"});
    </script>"""
OWN = "<script>window.own = \"<a href='https://vendor.example'>\";</script>"


def test_analytics_go_and_the_rest_stays():
    page = f'<html><head lang="en"><title>t</title></head><body>{OWN}{ANALYTICS}{OWN}</body></html>'
    stripped = offline.strip(page)
    assert "googletagmanager" not in stripped
    assert "gtag" not in stripped
    assert stripped.count(OWN) == 2
    assert stripped.startswith('<html><head lang="en"><meta http-equiv="Content-Security-Policy" content="default-src ')
    assert offline.contacts(page) == ["www.googletagmanager.com"]
    assert offline.contacts(stripped) == []


def inline(script):
    return f'<script src="data:text/javascript;base64,{base64.b64encode(script.encode()).decode()}"></script>'


@pytest.mark.parametrize(
    "piece",
    [
        '<script src="https://out.example/a.js"></script>',
        "<script async SRC=//out.example/a.js></script>",
        '<link rel="stylesheet" href="https://out.example/a.css">',
        '<link rel="preconnect" href="https://out.example">',
        '<img src="http://out.example/a.png">', '<img srcset="a.png 1x, https://out.example/a.png 2x">',
        '<iframe src="https://out.example/"></iframe>', '<object data="https://out.example/x"></object>',
        '<video poster="//out.example/x"></video>', '<form action="https://out.example/"></form>',
        '<base href="https://out.example/">', '<meta http-equiv="refresh" content="0; url=https://out.example/">',
        '<div style="background: url(https://out.example/x.png)"></div>',
        "<style>@font-face { src: url('//out.example/f.woff') }</style>", '<style>@import "https://out.example";</style>',
        '<script>fetch("https://out.example/x")</script>', "<script>new WebSocket('wss://out.example')</script>",
        "<script>navigator.sendBeacon(`https://out.example`, 1)</script>",
        '<script>x.open("GET","https://out.example/")</script>', '<script>i.src = "//out.example/p.gif"</script>',
        '<script type="module">import a from "https://out.example/m.js"</script>',
        inline('importScripts("https://out.example/x")'), inline('await import("https://out.example/x")'),
    ],
)  # fmt: skip
def test_whatever_a_browser_would_load_by_itself_is_a_contact(piece):
    assert offline.contacts(f"<html><body>{piece}</body></html>") == ["out.example"]


@pytest.mark.parametrize(
    "piece",
    [
        '<a href="https://out.example">there</a>', "<p>https://out.example</p>", '<link rel="icon" href="data:,">',
        '<script>say("curl https://out.example")</script>', '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
        '<script src="data:text/javascript;base64,%%"></script>', "<style>p { color: red }</style>",
    ],
)  # fmt: skip
def test_what_is_only_mentioned_is_none(piece):
    assert offline.contacts(f"<html><body>{piece}</body></html>") == []


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "run" / "allure-results"
    folder.mkdir(parents=True)
    step = {"name": "When everything is asked for", "status": "passed", "start": 1, "stop": 2}
    step["attachments"] = [{"name": "answer 0001", "source": "answer-0001-attachment.xml", "type": "application/xml"}]
    (folder / "answer-0001-attachment.xml").write_text('<a href="https://vendor.example"/>')
    for number, name in enumerate(("Everything comes back", "A stranger's id opens nothing")):
        test = {"uuid": str(number), "name": name, "fullName": name, "status": "passed", "start": 1, "stop": 2}
        test |= {"historyId": str(number), "testCaseId": str(number), "steps": [step]}
        (folder / f"{number}-result.json").write_text(json.dumps(test))
    return folder


def test_without_node_the_dossier_is_the_report(results, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(results))
    assert offline.main([str(results.parent)]) == 0
    said = capsys.readouterr().out
    assert said == f"no Node here, so no Allure report; the dossier is the report: {results.parent / 'dossier.html'}\n"
    assert not (results.parent / "allure.html").exists()


def test_without_the_pinned_allure_the_dossier_is_the_report(results, fake_node, tmp_path, capsys):
    fake_node("exit 1")
    assert offline.main([str(results.parent), "--tools", str(tmp_path / "none")]) == 0
    assert "none here, so no Allure report; the dossier is the report" in capsys.readouterr().out


def test_without_a_run_there_is_nothing_to_show(tmp_path, capsys):
    assert offline.main([str(tmp_path)]) == 2
    assert "no Allure results; run `onc-conformance run` first" in capsys.readouterr().err


@pytest.fixture
def fake_node(tmp_path, monkeypatch):
    """Stands in for Node: writes the page it is given, or fails."""
    programs, tools = tmp_path / "bin", tmp_path / "tools"
    (tools / "node_modules" / "allure").mkdir(parents=True)
    (tools / "node_modules" / "allure" / "cli.js").touch()
    (tools / "package-lock.json").touch()
    programs.mkdir()

    def stand_in(script):
        for name in ("node", "npm"):
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
        return tools

    return stand_in


def test_a_page_that_would_ask_somebody_is_refused(results, fake_node):
    tools = fake_node("""printf '<html><head></head><img src="https://out.example/x"></html>' >"$7/index.html" """)
    with pytest.raises(UsageError, match=r"would ask out\.example"):
        offline.make(results, results.parent / "allure.html", tools)
    assert not (results.parent / "allure.html").exists()


def test_a_tool_that_fails_is_told_in_its_own_words(results, fake_node):
    tools = fake_node("echo 'out of memory' >&2; exit 3")
    with pytest.raises(UsageError, match="node failed: out of memory"):
        offline.make(results, results.parent / "allure.html", tools)


def test_a_tool_that_does_not_end_is_ended(results, fake_node, monkeypatch):
    monkeypatch.setattr(offline, "PATIENCE", 0.2)
    with pytest.raises(UsageError, match=r"node has not ended after 0\.2 s"):
        offline.make(results, results.parent / "allure.html", fake_node("exec sleep 20"))


def test_allure_is_pinned_to_the_letter():
    package = json.loads((TOOLS / "package.json").read_text())
    lock = json.loads((TOOLS / "package-lock.json").read_text())
    assert package["dependencies"] == {"allure": lock["packages"]["node_modules/allure"]["version"]}
    others = [entry for path, entry in lock["packages"].items() if path]
    assert all(entry.get("integrity") for entry in others)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_page_allure_makes_asks_nobody_and_shows_the_scenarios(results, tmp_path, capsys):
    assert offline.main([str(results.parent), "--tools", str(TOOLS)]) == 0
    said, page = capsys.readouterr().out, results.parent / "allure.html"
    if not (shutil.which("node") and shutil.which("npm")):
        assert said.startswith("no Node here")
        return
    assert said == f"Allure report: {page}\n"
    html = page.read_text()
    assert "googletagmanager" not in html
    assert "gtag(" not in html
    assert offline.contacts(html) == []
    assert offline.POLICY in html
    if CHROMIUM:
        shown = browse(page, tmp_path / "browser")
        assert "Everything comes back" in shown
        assert "A stranger's id opens nothing" in shown


def browse(page, profile):
    """What Chromium makes of the page, with every way out of the machine leading to a closed door."""
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}",
        "--proxy-server=127.0.0.1:9", "--virtual-time-budget=15000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout[done.stdout.index("<body") :].partition("<script")[0]


def test_the_pictures_of_the_readme_are_there_and_light():
    root = TOOLS.parents[1]
    pictures = re.findall(r"!\[[^\]]{20,}\]\((docs/[\w-]+\.png)\)", (root / "README.md").read_text())
    assert len(pictures) == 3
    assert all((root / picture).stat().st_size < 200_000 for picture in pictures)
