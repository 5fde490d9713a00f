"""What comes back from a target, in words that do not depend on its protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HARMLESS = ("ok", "no_data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A document out of its wrappings, and the exchange it came in."""

    data: bytes
    exchange: str
    media_type: str
    """Content-Type of the answer that carried it, in lower case and without parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an operation came to.

    `kind` is ok, one of the classes of a refusal (auth, forbidden, no_match, ambiguous, bad_request, not_supported,
    server, no_data), `no_id` for a selection that found the patient and brought no id, `unclassified`, or `unreachable`
    where no answer came at all.
    """

    kind: str
    documents: tuple[Payload, ...] = ()
    captures: Mapping[str, str] = field(default_factory=dict)
    exchanges: tuple[str, ...] = ()
    message: str = ""
    """One line for people, secrets masked; empty where the kind is ok."""
    assumed: bool = False
    """Whether the request rests on something the vendor's documentation does not say."""
    identity_in_answer: bool = True
    """Whether the answer says whose data it is."""

    @property
    def ok(self) -> bool:
        """Whether the operation did what was asked."""
        return self.kind == "ok"


def united(answers: Iterable[Answer], *, assumed: bool, identity_in_answer: bool) -> Answer:
    """Several answers to one question as one: the first refusal decides, data found anywhere count as found."""
    found = list(answers)
    refusal = next((answer for answer in found if answer.kind not in HARMLESS), None)
    deciding = refusal or next((answer for answer in found if answer.ok), None)
    return Answer(
        kind=deciding.kind if deciding else "no_data",
        documents=tuple(document for answer in found for document in answer.documents),
        captures={name: value for answer in found for name, value in answer.captures.items()},
        exchanges=tuple(dict.fromkeys(exchange for answer in found for exchange in answer.exchanges)),
        message=deciding.message if deciding else next((answer.message for answer in found), "nothing of that kind"),
        assumed=assumed,
        identity_in_answer=identity_in_answer,
    )
