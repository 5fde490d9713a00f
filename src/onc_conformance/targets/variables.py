"""What the names in a template stand for at the moment a request is made."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from onc_conformance.targets.templates import Value, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onc_conformance.targets.target import Target

Captured = str | list[str]


@dataclass(slots=True)
class Variables:
    """One request's names, innermost first: what is spoiled on purpose, its own, captured, declared, built in."""

    target: Target
    patient: Mapping[str, str]
    overrides: Mapping[str, str]
    """Values for this patient that replace [vars] and {env.*} of the same name."""
    captured: Mapping[str, Captured]
    spoiled: Mapping[str, str] = field(default_factory=dict)
    own: dict[str, Value] = field(default_factory=dict)

    def fresh(self) -> None:
        """Take the time and draw the random id anew: both stay the same throughout one request."""
        self.own["now"] = datetime.now(UTC).replace(microsecond=0)
        self.own["uuid"] = str(uuid.uuid4())

    def __call__(self, name: str) -> Value:
        """The value of `name`."""
        plain = name.removeprefix("env.")
        for key in (name, plain):
            if key in self.spoiled:
                return self.spoiled[key]
        if name in self.own:
            return self.own[name]
        if name in self.captured:
            return self.captured[name]
        if plain in self.overrides:
            return self.overrides[plain]
        if name in self.target.description.vars:
            return parse(self.target.description.vars[name]).render(self)
        return self._built_in(name)

    def _built_in(self, name: str) -> str:
        group, _, key = name.partition(".")
        if group == "env":
            return self.target.env.get(key, "")
        if group == "base":
            return self.target.bases[key]
        if group == "patient":
            return self.patient.get(key, "")
        return ""  # a date of the window where none was asked for, the encounter of a patient-wide category
