"""A real browser that does what a person would: it opens an address, follows a list of deeds, and tells where it got.

Playwright drives it (the extra `browser`) with the system's own Chromium where there is one. Starting it takes longer
than most ways, so it is started once and left running until it is `shut`; each way has a profile of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

EXECUTABLE = "ONC_CONFORMANCE_BROWSER"
"""The environment variable that names the browser's program."""
_KNOWN = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PAUSE_MS = 20
_KEPT = "storage"
_CLICK_S = 3.0
"""Seconds that a click is given to lead to another page."""
_OPTIONAL_S = 1.0
"""Seconds that a deed which may have no place is given to find one."""
_POST = """([url, fields]) => {
  const form = document.createElement('form');
  form.method = 'post'; form.action = url;
  for (const [name, value] of fields) {
    const field = document.createElement('input');
    field.type = 'hidden'; field.name = name; field.value = value;
    form.append(field);
  }
  document.body.append(form); form.submit();
}"""


class BrowserError(Exception):
    """The browser did not get to where it should. One line, in the page's terms."""


class NoBrowserError(BrowserError):
    """There is no browser to do it with."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done on a page."""

    do: Literal["fill", "click", "check", "wait"]
    where: str
    """A CSS selector, or `text=…` and the like as Playwright has them."""
    text: str = ""
    """fill: what goes into the field; of a selection list, the value chosen."""
    ticked: Collection[str] | None = None
    """check: the values of the boxes to tick, all others are cleared; None ticks every one."""
    optional: bool = False
    """Passed over where the page has no such place."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a walk ended."""

    url: str | None
    """The address that was waited for; None where the browser stayed on a page."""
    page: str
    """The HTML of the last page that a deed was done on, or of the one it stayed on."""
    address: str
    """The address of that page."""
    pictures: tuple[bytes, ...] = ()
    """PNG of each page before it was left by a click."""


def available() -> bool:
    """Whether there is a browser, and what drives it."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return False
    return program() is not None


def walk(
    start: str,
    plan: Callable[[str, str], Sequence[Deed]],
    ends: Callable[[str], bool],
    *,
    form: Sequence[tuple[str, str]] | None = None,
    trusting: bool = False,
    seconds: float = 60.0,
    pictures: bool = False,
    state: dict[str, Any] | None = None,
) -> Arrival:
    """Open `start` (post `form` to it where one is given) and go on from page to page until an address `ends` the walk.

    `plan` is told the HTML and the address of each page and says what is done there: nothing, where it leads nowhere.
    What the browser keeps, such as a login, is taken from `state` and left there.

    `trusting` does not check certificates: what a description's own authority vouches for is judged elsewhere. Raises
    NoBrowserError, and BrowserError where a deed finds no place in time; a page that leads nowhere is an Arrival.
    """
    chromium = _running()
    from playwright.sync_api import Error

    try:
        context = chromium.new_context(ignore_https_errors=trusting, storage_state=(state or {}).get(_KEPT))
    except Error as problem:
        raise BrowserError(_first_line(problem)) from None
    try:
        walker = _Walker(context.new_page(), ends, time.monotonic() + seconds, pictures=pictures)
        arrival = walker.go(start, plan, form)
        if state is not None:
            state[_KEPT] = context.storage_state()
    except Error as problem:
        raise BrowserError(_first_line(problem)) from None
    else:
        return arrival
    finally:
        with suppress(Error):  # it may have died on the way
            context.close()


@dataclass(frozen=True, slots=True)
class _Running:
    """A browser, and whose it is: Playwright's objects serve the thread alone that made them."""

    process: int
    playwright: Playwright
    browser: Browser


_HERE = threading.local()


def _running() -> Browser:
    """The browser of the thread, started where it does not run. Raises NoBrowserError."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise NoBrowserError("no browser can be driven here: pip install 'onc-conformance[browser]'") from None
    found = program()
    if found is None:
        raise NoBrowserError(f"no browser here: install Chromium, or name its program in {EXECUTABLE}")
    known: _Running | None = getattr(_HERE, "running", None)
    if known and known.process == os.getpid() and known.browser.is_connected():
        return known.browser
    shut()
    playwright = sync_playwright().start()
    try:
        # without its sandbox, which containers and root do not let it have; it visits the product alone
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
    except Error as problem:
        playwright.stop()
        raise NoBrowserError(f"{found} does not start: {_first_line(problem)}") from None
    _HERE.running = _Running(os.getpid(), playwright, browser)
    return browser


def shut() -> None:
    """Close the browser that the ways of this thread were made with, if there is one; another way starts another."""
    known: _Running | None = getattr(_HERE, "running", None)
    _HERE.running = None
    if known is None or known.process != os.getpid():  # it is the browser of the process this one was forked from
        return
    for end in (known.browser.close, known.playwright.stop):
        with suppress(Exception):  # whatever became of it, it is not used any more
            end()


atexit.register(shut)


class _Walker:
    def __init__(self, page: Page, ends: Callable[[str], bool], until: float, *, pictures: bool) -> None:
        self._page, self._ends, self._until, self._pictured = page, ends, until, pictures
        self._arrived: str | None = None
        self._pictures: list[bytes] = []
        self._last = ("", "")
        self._moves = 0
        page.context.on("request", lambda request: self._noted(request.url))
        page.on("framenavigated", lambda frame: self._moved(frame.parent_frame is None))

    def go(
        self, start: str, plan: Callable[[str, str], Sequence[Deed]], form: Sequence[tuple[str, str]] | None
    ) -> Arrival:
        from playwright.sync_api import Error

        try:
            if form is None:
                self._page.goto(start, timeout=self._left_ms, wait_until="domcontentloaded")
            else:
                self._page.set_content("<html><body></body></html>")
                with self._page.expect_navigation(timeout=self._left_ms, wait_until="domcontentloaded"):
                    self._page.evaluate(_POST, [start, [list(pair) for pair in form]])
        except Error:
            if self._arrived is None:  # nobody has to listen where the walk ends
                raise
        while self._arrived is None:
            deeds = plan(self._page.content(), self._page.url)
            if not deeds and self._settled():
                break
            for deed in deeds:
                if self._arrived is None:
                    self._do(deed)
        if self._arrived is None:
            self._look()
        return Arrival(self._arrived, *self._last, pictures=tuple(self._pictures))

    @property
    def _left_ms(self) -> float:
        return max(1.0, (self._until - time.monotonic()) * 1000)

    def _moved(self, whole: bool) -> None:
        self._moves += whole

    def _noted(self, url: str) -> None:
        if self._arrived is None and self._ends(url):
            self._arrived = url

    def _settled(self) -> bool:
        """Whether the page will lead nowhere by itself any more."""
        from playwright.sync_api import Error

        before = self._moves
        while time.monotonic() < self._until:
            try:
                self._page.wait_for_load_state("networkidle", timeout=min(2000.0, self._left_ms))
            except Error:
                continue
            return self._arrived is None and self._moves == before
        return True

    def _do(self, deed: Deed) -> None:
        from playwright.sync_api import Error

        place = self._page.locator(deed.where)
        if not self._there(deed):
            return
        try:
            if deed.do == "fill":
                field = place.first
                if field.evaluate("each => each.tagName") == "SELECT":
                    field.select_option(deed.text, timeout=self._left_ms)
                else:
                    field.fill(deed.text, timeout=self._left_ms)
            elif deed.do == "check":
                for box in place.all():
                    ticked = deed.ticked is None or box.get_attribute("value") in deed.ticked
                    box.set_checked(ticked, timeout=self._left_ms)
            elif deed.do == "click":
                self._look()
                before = self._moves
                place.first.click(timeout=self._left_ms)
                self._onward(before)
        except Error as problem:
            if self._arrived is None:
                raise BrowserError(f"cannot {deed.do} {deed.where}: {_first_line(problem)}") from None

    def _onward(self, before: int) -> None:
        """Wait for the page that a click leads to; a click need lead nowhere."""
        until = min(self._until, time.monotonic() + _CLICK_S)
        while self._arrived is None and self._moves == before and time.monotonic() < until:
            self._page.wait_for_timeout(_PAUSE_MS)
        if self._arrived is None:
            self._page.wait_for_load_state("domcontentloaded", timeout=self._left_ms)

    def _there(self, deed: Deed) -> bool:
        """Whether the deed has a place; BrowserError where it must have one and time is up."""
        until = min(self._until, time.monotonic() + _OPTIONAL_S) if deed.optional else self._until
        place = self._page.locator(deed.where).first
        while self._arrived is None:
            if place.is_visible():
                return True
            if time.monotonic() >= until:
                if deed.optional:
                    return False
                self._look()
                raise BrowserError(f"no {deed.where} on the page {self._last[1]!r} to {deed.do}")
            self._page.wait_for_timeout(_PAUSE_MS)
        return False

    def _look(self) -> None:
        self._last = (self._page.content(), self._page.url)
        if self._pictured:
            self._pictures.append(self._page.screenshot(full_page=True))


def program() -> str | None:
    """The browser's program."""
    named = os.environ.get(EXECUTABLE)
    return next(filter(None, map(shutil.which, [named] if named else _KNOWN)), None)


def _first_line(problem: BaseException) -> str:
    return str(problem).partition("\n")[0] or type(problem).__name__
