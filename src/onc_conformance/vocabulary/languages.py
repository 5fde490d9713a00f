"""Language tags by the grammar of RFC 5646, section 2.1, with the languages of ISO 639 and the regions of ISO 3166."""

from __future__ import annotations

import re
from functools import lru_cache

from onc_conformance.vocabulary.answer import Answer
from onc_conformance.vocabulary.tables import facts

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*)"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"
)
_PRIVATE = re.compile(r"x(?:-[a-z0-9]{1,8})+")
MAX_TAG = 100


@lru_cache(maxsize=4096)
def language(tag: str) -> Answer:
    """Whether a tag is well-formed and its language and region exist; three-letter languages are known in part."""
    lowered = tag.lower()
    if len(tag) > MAX_TAG or not tag.isascii():
        return Answer.NOT_IN
    known = facts("languages")
    if lowered in known["grandfathered"] or _PRIVATE.fullmatch(lowered):
        return Answer.IN
    match = _TAG.fullmatch(lowered)
    if match is None or _repeats(match["variants"]) or _repeats_singleton(match["extensions"]):
        return Answer.NOT_IN
    region = match["region"]
    if region and region.isalpha() and region.upper() not in known["regions"]:
        return Answer.NOT_IN
    primary = match["language"].partition("-")[0]
    if len(primary) == 2:
        return Answer.IN if primary in known["languages"] else Answer.NOT_IN
    if primary in known["languages"] or (len(primary) == 3 and "qaa" <= primary <= "qtz"):
        return Answer.IN
    return Answer.UNKNOWN_HERE


def country(code: str) -> bool:
    """Whether this is a two-letter code of ISO 3166-1."""
    return code in facts("languages")["regions"]


def _repeats(variants: str) -> bool:
    parts = variants.split("-")[1:]
    return len(parts) != len(set(parts))


def _repeats_singleton(extensions: str) -> bool:
    singletons = [part for part in extensions.split("-")[1:] if len(part) == 1]
    return len(singletons) != len(set(singletons))
