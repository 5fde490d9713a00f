"""Whether what a document calls a code can be the name of that code."""

from __future__ import annotations

import re
from functools import lru_cache

from onc_conformance.vocabulary.tables import facts

_TAG = re.compile(
    r"\s*\((?:finding|disorder|procedure|situation|qualifier value|observable entity|body structure|occupation|event|"
    r"person|substance|product|organism|regime/therapy|physical object|environment|record artifact|social concept|"
    r"morphologic abnormality|medicinal product|clinical drug|cell structure|assessment scale|navigational concept)"
    r"\)\s*$"
)
"""SNOMED CT's semantic tags."""
_WORD = re.compile(r"[^\W_]+")
_EMPTY_WORDS = frozenset({"and", "are", "by", "disorder", "finding", "for", "from", "in", "nos", "not", "of", "on",
                          "or", "other", "procedure", "the", "to", "unspecified", "with", "without"})  # fmt: skip


@lru_cache(maxsize=16384)
def disagree(given: str, known: str) -> bool:
    """Whether two names share nothing that could make them names of one thing.

    Synonyms, abbreviations, word order and SNOMED CT's semantic tags are forgiven: that costs some misses, and spares a
    hundred false alarms for each.
    """
    if plain(given) == plain(known):
        return False
    one, other = _words(given), _words(known)
    if not one or not other or not any(len(word) >= 5 for word in one):
        return False
    if any(_akin(a, b) for a in one for b in other):
        return False
    initials = "".join(word[0] for word in _ordered(known))
    return "".join(_ordered(given)) != initials and not any(word == initials for word in one)


def others(system_oid: str, code: str) -> list[str]:
    """Further names under which a code is well known."""
    return list(facts("other-names").get(system_oid, {}).get(code, ()))


@lru_cache(maxsize=16384)
def plain(text: str) -> str:
    """A name without case, punctuation, spacing and semantic tag."""
    return " ".join(_ordered(text))


def _akin(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if longer.startswith(shorter) and len(shorter) >= 3:
        return True
    stem = 5 if len(shorter) > 5 else 4
    return len(shorter) >= 4 and shorter[:stem] == longer[:stem]


def _ordered(text: str) -> list[str]:
    return list(_WORD.findall(_TAG.sub("", text.lower())))


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in _ordered(text) if len(word) > 1 and word not in _EMPTY_WORDS)
