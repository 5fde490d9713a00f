"""The formats: what a judgement becomes in each, and how the documents told one by one become a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol, TextIO

from onc_conformance.batch import sarif, text
from onc_conformance.batch.work import Form, Tally, Told
from onc_conformance.judging import Judgement


class Writer(Protocol):
    """Writes what it is told at once, so that a reader at the other end of a pipe need not wait."""

    @property
    def form(self) -> Form: ...

    def tell(self, told: Told) -> None: ...

    def end(self, tally: Tally) -> None: ...


def json_line(judgement: Judgement) -> tuple[str, Mapping[str, str]]:
    """One object on one line, all keys always."""
    line = json.dumps(judgement.as_json(), ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # the name of a file need not be text
        line = json.dumps(judgement.as_json())
    return f"{line}\n", {}


class JsonLines:
    """A line for each document, and nothing else."""

    def __init__(self, stream: TextIO, form: Form = json_line) -> None:
        self._stream, self.form = stream, form

    def tell(self, told: Told) -> None:
        self._stream.write(told.text)
        self._stream.flush()

    def end(self, tally: Tally) -> None:
        """JSON lines have no end."""


class Text(JsonLines):
    """What is wrong with each document, and a line about all of them."""

    def __init__(self, stream: TextIO, *, colour: bool) -> None:
        super().__init__(stream, text.coloured if colour else text.plain)

    def end(self, tally: Tally) -> None:
        self._stream.write(f"{tally}\n")
        self._stream.flush()


class Sarif:
    """One log, well-formed however it ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.form: Form = sarif.results
        self._before = sarif.HEAD + "\n"

    def tell(self, told: Told) -> None:
        if told.text:
            self._stream.write(self._before + told.text)
            self._stream.flush()
            self._before = sarif.SEPARATOR

    def end(self, tally: Tally) -> None:
        head = "" if self._before == sarif.SEPARATOR else self._before
        self._stream.write(head + sarif.tail(tally))
        self._stream.flush()
