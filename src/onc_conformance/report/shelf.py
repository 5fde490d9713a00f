"""Where Allure's results go while a run lasts: without what says nothing, each exchange once however often it is shown.

allure-pytest writes a container for every fixture of every test, thousands in a run; here only those are kept in which
something went wrong. Exchanges are promised by name and written at the end, out of the evidence, masked.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from allure_commons import hookimpl, plugin_manager
from allure_commons.logger import AllureFileLogger
from attr import asdict

from onc_conformance.report.folder import put

_PROMISE = re.compile(r"(request|answer)-(.+)-attachment\.\w+")
_FINE = frozenset({None, "passed", "skipped"})


class Shelf:
    """Takes what Allure has to write, as its own file logger would."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._directory.mkdir(parents=True, exist_ok=True)

    @hookimpl
    def report_result(self, result: Any) -> None:
        self._write(result)

    @hookimpl
    def report_container(self, container: Any) -> None:
        fixtures = [*container.befores, *container.afters]
        if any(fixture.attachments or fixture.status not in _FINE for fixture in fixtures):
            self._write(container)

    @hookimpl
    def report_attached_data(self, body: str | bytes, file_name: str) -> None:
        put(self._directory / file_name, body)

    @hookimpl
    def report_attached_file(self, source: str, file_name: str) -> None:
        if source:  # without one it is a promise
            put(self._directory / file_name, Path(source).read_bytes())

    def _write(self, item: Any) -> None:
        content = asdict(item, filter=lambda _, value: value or value is False)
        name = item.file_pattern.format(prefix=uuid.uuid4())
        put(self._directory / name, json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))


def stand_in(directory: Path) -> Callable[[], None]:
    """Take the place of Allure's own file logger; what is returned gives the place back."""
    (usual,) = (each for each in plugin_manager.get_plugins() if isinstance(each, AllureFileLogger))
    name, shelf = plugin_manager.get_name(usual), Shelf(directory)
    plugin_manager.unregister(usual)
    plugin_manager.register(shelf, name)

    def give_back() -> None:
        plugin_manager.unregister(shelf)
        plugin_manager.register(usual, name)

    return give_back


def promise(part: str, exchange: str) -> str:
    """What Allure is to call the `request` or the `answer` of an exchange, before `-attachment.` and the extension."""
    return f"{part}-{exchange}"


def promised(result: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Part, exchange and file name of each promise in a result."""
    for attachment in result.get("attachments", ()):
        if match := _PROMISE.fullmatch(attachment["source"]):
            yield match[1], match[2], attachment["source"]
    for step in result.get("steps", ()):
        yield from promised(step)


def withdraw(result: dict[str, Any], sources: set[str]) -> None:
    """Take promises that cannot be kept out of a result."""
    if "attachments" in result:
        result["attachments"] = [each for each in result["attachments"] if each["source"] not in sources]
    for step in result.get("steps", ()):
        withdraw(step, sources)
