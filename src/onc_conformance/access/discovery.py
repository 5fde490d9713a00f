"""Where a FHIR server says how apps are authorized: the SMART configuration, and the capability statement before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

WELL_KNOWN = ".well-known/smart-configuration"
OPENID = ".well-known/openid-configuration"
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
ENDPOINTS = (
    "authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint",
    "registration_endpoint", "management_endpoint", "jwks_uri",
)  # fmt: skip
"""Fields of a configuration that are addresses."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A SMART or OpenID configuration as it was published; what is missing is empty."""

    fields: dict[str, Any]

    def text(self, name: str) -> str:
        """A field that is a text; empty where it is none."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of a field that is a list."""
        value = self.fields.get(name)
        return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()

    @property
    def authorize(self) -> str:
        """The authorization endpoint."""
        return self.text("authorization_endpoint")

    @property
    def token(self) -> str:
        """The token endpoint."""
        return self.text("token_endpoint")

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What the server says it is capable of."""
        return self.texts("capabilities")

    @property
    def endpoints(self) -> Iterator[tuple[str, str]]:
        """Every address it names, with the field."""
        return ((name, self.text(name)) for name in ENDPOINTS if self.text(name))


def oauth_uris(statement: dict[str, Any]) -> dict[str, str]:
    """The addresses in the security extension of a capability statement, by name: authorize, token and others."""
    found: dict[str, str] = {}
    for rest in _tables(statement.get("rest")):
        security = rest.get("security")
        for extension in _tables(security.get("extension") if isinstance(security, dict) else None):
            if extension.get("url") == OAUTH_URIS:
                for inner in _tables(extension.get("extension")):
                    name, value = inner.get("url"), inner.get("valueUri")
                    if isinstance(name, str) and isinstance(value, str):
                        found.setdefault(name, value)
    return found


def is_address(text: str) -> bool:
    """Whether it is an absolute address on the web, without a fragment."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and not parts.fragment


def _tables(value: Any) -> Iterator[dict[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())
