"""`targets new`: a commented description to begin with, put together from what is known about the API."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TextIO

from onc_conformance.findings import UsageError

_ROOM = Path(__file__).with_name("skeleton")
_ID = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Question:
    """What has to be known about an API: in words, and the answers there are, the usual one first."""

    words: str
    answers: tuple[str, ...]


QUESTIONS = {
    "auth": Question(
        "How does a client log in?", ("json", "form", "basic", "static", "oauth2_client", "oauth2_jwt", "none")
    ),
    "selection": Question("How is the patient chosen?", ("search", "credential_bound", "launch_context")),
    "documents": Question("How does the C-CDA come?", ("raw", "json", "base64", "xml", "zip", "docref")),
    "dates": Question("How are dates asked for?", ("pair", "prefix_repeat", "none")),
}
"""By the name of the flag and of the field of Choices."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The answers; UsageError for one that there is not, or that does not go with another."""

    auth: str = QUESTIONS["auth"].answers[0]
    selection: str = QUESTIONS["selection"].answers[0]
    documents: str = QUESTIONS["documents"].answers[0]
    dates: str = QUESTIONS["dates"].answers[0]

    def __post_init__(self) -> None:
        for each in fields(self):
            known, chosen = QUESTIONS[each.name].answers, getattr(self, each.name)
            if chosen not in known:
                raise UsageError(f"--{each.name} {chosen}: expected one of {', '.join(known)}")
        if self.selection == "launch_context" and self.auth not in {"static", "oauth2_client", "oauth2_jwt"}:
            raise UsageError(f"--selection launch_context needs a token; expected --auth static, found {self.auth}")


def asked(given: dict[str, str | None], answers: TextIO, out: TextIO) -> Choices:
    """The choices, those not given asked for one by one; an empty line takes the usual answer."""
    chosen = {name: value for name, value in given.items() if value}
    for name, question in QUESTIONS.items():
        while name not in chosen:
            out.write(f"{question.words} ({', '.join(question.answers)}) [{question.answers[0]}] ")
            out.flush()
            line = answers.readline()
            answer = line.strip() or question.answers[0]
            if answer in question.answers:
                chosen[name] = answer
            elif not line:
                break
    return Choices(**chosen)


def new(name: str, choices: Choices | None = None) -> str:
    """A commented description to begin with; `name` becomes its id and the prefix of its environment variables."""
    if not _ID.fullmatch(name):
        raise UsageError(f"{name!r}: not a name for a target; expected lower-case letters, digits, - and _")
    choices = choices or Choices()
    pieces = ["head", f"auth-{choices.auth}", f"selection-{choices.selection}", f"documents-{choices.documents}"]
    pieces += [f"dates-{choices.dates}", *([] if choices.documents == "docref" else ["categories"]), "tail"]
    text = "".join((_ROOM / f"{piece}.toml").read_text(encoding="utf-8") for piece in pieces)
    for mark, lines in _who(choices).items():
        text = text.replace(f"@{mark}@\n", lines)
    return text.replace("@NAME@", name).replace("@PREFIX@", re.sub(r"\W", "_", name).upper())


def _who(choices: Choices) -> dict[str, str]:
    """The lines in which a login learns whose it is, where it is one patient's."""
    blank = dict.fromkeys(("BOUND", "STEP", "GIVEN", "TOKEN"), "")
    if choices.selection == "search":
        return {**blank, "STEP": "\n", "BOUND": "\n", "GIVEN": "\n", "TOKEN": "\n"}
    capture = 'capture.pat_id = { from = "json", path = "$.patient" }\n'
    bearer = 'capture.token = { from = "json", path = "$.access_token", secret = true }\n'
    ask = (
        "\n# Whose login it is.\n[[auth.step]]\n"
        'url = "{base.api}/me"\nheaders = { Authorization = "Basic {token}" }\n' + capture + "\n"
    )
    if choices.auth == "none":
        ask = '\n# Whose credentials they are.\n[[auth.step]]\nurl = "{base.api}/me"\n'
        ask += 'headers = { X-Api-Key = "{env.@PREFIX@_KEY}" }\n' + capture + "\n"
    apply = '[auth.apply]\nheaders = { Authorization = "Basic {token}" }\n\n' if choices.auth == "basic" else ""
    return {
        "BOUND": capture + "\n",
        "STEP": ask + apply,
        "GIVEN": 'patient = "{env.@PREFIX@_PATIENT}" # the id of the patient it is for\n\n',
        "TOKEN": bearer + capture + "\n",
    }
