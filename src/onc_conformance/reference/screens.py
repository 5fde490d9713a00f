"""The HTML the reference EHR shows: rendered from the templates in html/, complete in itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


@cache
def _templates() -> Environment:
    folder = Path(__file__).with_name("html")
    return Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)


def rendered(template: str, **facts: object) -> str:
    """A page; a fact the template asks for and is not given is an error."""
    return _templates().get_template(template).render(facts)


@cache
def login_page() -> str:
    """What is shown to whoever has no session."""
    return rendered("login.html")


def notice(text: str) -> str:
    """A page that says one thing."""
    return rendered("notice.html", text=text)
