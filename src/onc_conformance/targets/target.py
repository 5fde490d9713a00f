"""A target: its description, and what the environment adds to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from onc_conformance.redaction import SHORTEST
from onc_conformance.targets.templates import parse
from onc_conformance.targets.terms import Category
from onc_conformance.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from onc_conformance.targets.lines import Path
    from onc_conformance.targets.models import CategoryTable, Description, Misuse, ProductTable

PAGES = ("api", "terms", "endpoints", "registration")
"""The addresses of [documentation]."""
OPTIONAL = (("documentation",), ("negative",), ("smart",), ("bulk",), ("target", "tls_verify"))
"""Places whose variables may be unset: what needs them is not tried then."""
_SECRET = re.compile(r"(PASS|PASSWORD|SECRET|TOKEN|KEY)$")
_ENV = re.compile(r"\{env\.(\w+)[|}]")
_NUMBERED = re.compile(r"_\d+$")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A description together with what the environment adds to it."""

    description: Description
    source: str
    """The file, as it is named in messages."""
    env: Mapping[str, str] = field(repr=False)
    text: str = field(default="", repr=False)
    """The description as it was read."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Base URLs that replace those of the description, for a target that is not there but recorded."""

    @property
    def id(self) -> str:
        """Short name."""
        return self.description.target.id

    @property
    def title(self) -> str:
        """What people call it."""
        return self.description.target.title or self.product.name or self.id

    @property
    def product(self) -> ProductTable:
        """What is printed on every report."""
        return self.description.product

    @property
    def criteria(self) -> tuple[str, ...]:
        """The criteria claimed, in order."""
        claimed: list[str] | None = list(self.description.target.criteria or []) or None
        ops = self.description.ops
        offered = {"g7": True, "g8": ops.category, "g9": ops.all_data, "g10": self.description.fhir}
        return tuple(claimed or [name for name, there in offered.items() if there])

    @cached_property
    def bases(self) -> dict[str, str]:
        """The named base URLs, without a slash at the end."""
        named = self.description.target.base
        return {name: (self.rendered(text) or "").rstrip("/") for name, text in named.items()} | dict(self.addresses)

    @property
    def recorded(self) -> bool:
        """Whether it stands for a target of an earlier run, and its environment for placeholders."""
        return bool(self.addresses)

    @property
    def base_urls(self) -> tuple[str, ...]:
        """Where the API is, each address once."""
        return tuple(dict.fromkeys(self.bases.values()))

    @property
    def supported(self) -> tuple[str, ...]:
        """Canonical names of the categories that can be asked for, in the order of the vocabulary."""
        return tuple(name for name in get_args(Category) if self.supports(name))

    def supports(self, category: str) -> bool:
        """Whether the description says how to ask for the category of this canonical name."""
        entry = self.category(category)
        return self.description.ops.category is not None and entry is not None and not entry.unsupported

    def category(self, name: str) -> CategoryTable | None:
        """What the description says of a category."""
        return {str(key): entry for key, entry in self.description.categories.items()}.get(name)

    def documentation(self, page: str) -> str | None:
        """The address of a page, such as `api`; None if there is none, or its variable is not set."""
        return self.rendered(getattr(self.description.documentation, page))

    def documentation_item(self, name: str) -> str | None:
        """CSS selector, XPath or text by which a required item of the documentation is found."""
        return {str(key): place for key, place in self.description.documentation.items.items()}.get(name)

    @cached_property
    def missing_optional(self) -> dict[str, tuple[str, ...]]:
        """Unset variables not everything needs, by place: `documentation.api`, `negative.2`, `smart.client.public`.

        Without a file of certificate authorities those of the system are trusted, so nothing is missing there.
        """
        missing: dict[str, tuple[str, ...]] = {}
        for path, name in self._used:
            if optional(path) and path[0] != "target" and not self.env.get(name):
                place = ".".join(map(str, path[: 3 if path[1] in {"client", "login"} else 2]))
                missing[place] = tuple(dict.fromkeys((*missing.get(place, ()), name)))
        return missing

    @cached_property
    def _used(self) -> tuple[tuple[Path, str], ...]:
        return tuple(variables(self.description))

    def unset(self, *place: str) -> tuple[str, ...]:
        """The variables that are not set and used somewhere below `place`, as `smart`, `client`, `public`."""
        used = (name for path, name in self._used if path[: len(place)] == place)
        return tuple(dict.fromkeys(name for name in used if not self.env.get(name)))

    def misuses(self, op: str | None = None) -> list[Misuse]:
        """The [[negative]] tests, of one operation or all, whose variables are set."""
        return [
            misuse
            for index, misuse in enumerate(self.description.negative)
            if (op is None or misuse.op == op) and f"negative.{index}" not in self.missing_optional
        ]

    @cached_property
    def named_secrets(self) -> dict[str, str]:
        """Declared secrets that are set, by environment name; numbered siblings (`…_2`) included."""
        return {name: value for name, value in self.env.items() if value and self.is_secret(name)}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of declared secrets."""
        return tuple(self.named_secrets.values())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a report should say beforehand: secrets too short to be masked wherever they turn up."""
        return tuple(
            f"{self.id}: {name} has fewer than {SHORTEST} characters, so it is masked only where it is sent by name"
            for name, value in self.named_secrets.items()
            if len(value) < SHORTEST
        )

    @property
    def transport(self) -> Transport:
        """How it is reached."""
        table = self.description.target
        verify = table.tls_verify
        return Transport(
            timeout_s=table.timeout_s,
            tls_verify=verify if isinstance(verify, bool) else self.rendered(verify) or True,
            client_cert=table.client_cert,
            proxy=table.proxy,
        )

    @cached_property
    def secret_captures(self) -> frozenset[str]:
        """Names under which secrets are taken out of answers."""
        description = self.description
        places = [pair for step in description.auth.step for pair in step.captures.items()]
        for op in vars(description.ops).values():
            places += [pair for step in (op.step if op else []) for pair in step.capture.items()]
        return frozenset(name for name, place in places if place.secret)

    @cached_property
    def named(self) -> Target:
        """The same target with names in place of what the environment adds."""
        addresses = {name: f"base://{name}" for name in self.description.target.base}
        return replace(self, env={name: f"{{env.{name}}}" for name in self.env}, addresses=addresses)

    def is_secret(self, name: str) -> bool:
        """Whether an environment variable of this name holds a secret."""
        plain = unnumbered(name)
        declared = self.description.target.secrets
        return bool(_SECRET.search(plain)) if declared is None else plain in declared or name in declared

    def uses(self, name: str) -> bool:
        """Whether the description has a [vars] entry of this name, or uses the environment variable."""
        return name in self.description.vars or any(name == used for _, used in variables(self.description))

    def date_policy(self, kind: str) -> str | None:
        """Which date decides about facts of a class: filter, overlap, encounter or ignore; None if nothing is said."""
        entry = self.category(kind)
        if entry is not None and entry.date_policy:
            return entry.date_policy
        policies = self.description.dates.policy
        return policies.get(kind) or policies.get("default")

    def rendered(self, text: str | None) -> str | None:
        """A template of environment variables alone; None if one of them is not set."""
        if text is None:
            return None
        names = [name.removeprefix("env.") for name in parse(text).names]
        if not all(self.env.get(name) for name in names):
            return None
        return parse(text).render(lambda name: self.env[name.removeprefix("env.")])


def optional(path: Path) -> bool:
    """Whether the variables of a text at this place may be unset."""
    return any(path[: len(place)] == place for place in OPTIONAL)


def unnumbered(name: str) -> str:
    """The name of an environment variable without the number of a further patient: EYW_PASS for EYW_PASS_2."""
    return _NUMBERED.sub("", name)


def variables(description: Description) -> Iterator[tuple[Path, str]]:
    """Every `{env.NAME}` used, with the place of the text that uses it."""
    for path, text in texts(description):
        yield from ((path, name) for name in _ENV.findall(text))


def texts(description: Description) -> Iterator[tuple[Path, str]]:
    """Every text of a description, with its place."""
    yield from texts_within(description.model_dump(by_alias=True, exclude_unset=True), ())


def texts_within(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text in a value of tables and lists that stands at `path`, with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts_within(item, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from texts_within(item, (*path, index))
