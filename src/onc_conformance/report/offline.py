"""The Allure results of a run as one page that asks nobody for anything: `python -m onc_conformance.report.offline`.

Allure 3 makes the page, from npm, pinned in tools/allure. This program takes Google's analytics out of it, forbids it
by a content security policy to load anything from anywhere, and refuses it if it names a host to load from even so.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from onc_conformance import suite
from onc_conformance.findings import UsageError
from onc_conformance.report.allure import CATEGORIES
from onc_conformance.report.folder import writing

TOOLS = Path("tools") / "allure"
NAME = "ONC API conformance"
PATIENCE = 600.0
"""Seconds for npm, and for Allure."""
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline' data: blob:; "
    "img-src data: blob:; font-src data:; media-src data: blob:; connect-src data: blob:; frame-src data: blob:; "
    "worker-src blob:; form-action 'none'"
)

_ANALYTICS = re.compile(
    r"<script[^>]*\ssrc=\"https://www\.googletagmanager\.com/[^>]*>\s*</script>\s*"
    r"<script>(?:(?!</script>).)*?\bgtag\((?:(?!</script>).)*</script>",
    re.DOTALL,
)
_HOST = r"(?:(?:https?|wss?|ftp):)?//(?P<host>[\w.-]+)"
_ADDRESS = re.compile(rf"\s*{_HOST}", re.IGNORECASE)
_CALL = re.compile(
    r"(?:\b(?:fetch|importScripts|sendBeacon|WebSocket|EventSource|Worker|Request|import)\(|\.open\([^,()]{1,12},"
    rf"|\.(?:src|action)\s*=|\bimport\b[^;()]{{0,80}}\bfrom)\s*[\"'`]{_HOST}"
)
_STYLE = re.compile(rf"(?:url\(|@import)\s*[\"']?{_HOST}", re.IGNORECASE)
_LOADS = {
    "script": ("src",), "link": ("href",), "img": ("src", "srcset"), "source": ("src", "srcset"), "iframe": ("src",),
    "embed": ("src",), "object": ("data",), "video": ("src", "poster"), "audio": ("src",), "track": ("src",),
    "form": ("action",), "base": ("href",), "input": ("src",), "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}  # fmt: skip


def strip(page: str) -> str:
    """The page without analytics and with a policy against loading anything from outside itself."""
    stripped = _ANALYTICS.sub("", page)
    tag = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return re.sub(r"<head[^>]*>", lambda head: head[0] + tag, stripped, count=1)


def contacts(page: str) -> list[str]:
    """Hosts that the page would load something from, sorted; those that are only mentioned do not count."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return sorted(reader.hosts)


class _Reader(HTMLParser):
    """Gathers the hosts of everything a browser loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.hosts: set[str] = set()
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in {"script", "style"} else ""
        for name, value in attrs:
            text = value or ""
            if name in _LOADS.get(tag, ()):
                self._take(_ADDRESS.match(part) for part in (text, *text.split(",")))
                if tag == "script" and text.startswith("data:"):
                    self._take(_CALL.finditer(_decoded(text)))
            elif name == "style":
                self._take(_STYLE.finditer(text))
            elif tag == "meta" and name == "content" and ("http-equiv", "refresh") in attrs:
                self._take([re.search(_HOST, text)])

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  # neither contains an element
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._take((_CALL if self._inside == "script" else _STYLE).finditer(data))

    def _take(self, found: Iterator[re.Match[str] | None] | Sequence[re.Match[str] | None]) -> None:
        self.hosts |= {match["host"] for match in found if match}


def _decoded(address: str) -> str:
    head, _, body = address.partition(",")
    if not head.endswith(";base64"):
        return body
    try:
        return base64.b64decode(body).decode("utf-8", "replace")
    except binascii.Error:
        return body


def make(results: Path, page: Path, tools: Path) -> str | None:
    """Write the page; None, or in one sentence why there is none. UsageError without results or if a tool fails."""
    if not results.is_dir():
        raise UsageError(f"{results}: no Allure results; run `onc-conformance run` first")
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return f"no Node here, so no Allure report; the dossier is the report: {results.parent / 'dossier.html'}"
    if not (tools / "package-lock.json").is_file():
        return f"no {tools} here, so no Allure report; the dossier is the report: {results.parent / 'dossier.html'}"
    program = tools / "node_modules" / "allure" / "cli.js"
    if not program.is_file():
        _call([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], tools)
    with tempfile.TemporaryDirectory(prefix="onc-conformance-") as folder:
        config = Path(folder) / "allurerc.json"
        config.write_text(json.dumps(_config(results)), encoding="utf-8")
        command = [node, program.resolve(), "generate", results.resolve(), "--config", config, "--output", folder]
        _call([str(word) for word in command], Path(folder))
        made = (Path(folder) / "index.html").read_text(encoding="utf-8")
    stripped = strip(made)
    if hosts := contacts(stripped):
        raise UsageError(f"the page Allure made would ask {', '.join(hosts)}; use the Allure pinned in {tools}")
    with writing(page):
        page.write_text(stripped, encoding="utf-8")
    return None


def _config(results: Path) -> dict[str, Any]:
    """How the page is laid out; Allure 3 takes the kinds of defect from here and not from the results."""
    categories = results / CATEGORIES
    plain = {"singleFile": True, "reportName": NAME, "reportLanguage": "en", "groupBy": ["epic", "feature", "story"]}
    return {
        "name": NAME,
        "categories": json.loads(categories.read_text(encoding="utf-8")) if categories.is_file() else [],
        "plugins": {"awesome": {"options": plain}},
    }


def _call(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603  # our own words
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{Path(command[0]).name} has not ended after {PATIENCE:g} s") from None
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise UsageError(f"{Path(command[0]).name} failed: {said[-1].strip() if said else 'no word why'}")


def main(argv: Sequence[str] | None = None) -> int:
    """Make the page of the newest run; 0 also where there is no Node, 2 if it could not be made."""
    reader = argparse.ArgumentParser(prog="python -m onc_conformance.report.offline", description=__doc__)
    reader.add_argument("run", nargs="?", type=Path, default=Path("reports/latest"), help="default: reports/latest")
    reader.add_argument("--tools", type=Path, default=suite.root() / TOOLS, help="default: tools/allure")
    options = reader.parse_args(argv)
    page = options.run / "allure.html"
    try:
        instead = make(options.run / "allure-results", page, options.tools)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{instead or f'Allure report: {page}'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
