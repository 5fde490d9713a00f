"""Whether what a document calls a code can be the name of that code."""

from __future__ import annotations

import re
from functools import lru_cache

_TAG = re.compile(r"\s*\((?:[a-z/ ]+)\)\s*$")
_WORD = re.compile(r"[^\W_]+")
_EMPTY_WORDS = frozenset(
    "and are the for with without not other nos unspecified finding disorder procedure of in on to by or from".split()
)


@lru_cache(maxsize=16384)
def disagree(given: str, known: str) -> bool:
    """Whether two names share nothing that could make them names of one thing.

    Synonyms, abbreviations, word order and SNOMED CT's semantic tags are forgiven: that costs some misses, and spares a
    hundred false alarms for each.
    """
    one, other = _words(given), _words(known)
    if not one or not other or not any(len(word) >= 5 for word in one):
        return False
    if any(_akin(a, b) for a in one for b in other):
        return False
    initials = "".join(word[0] for word in _ordered(known))
    return "".join(_ordered(given)) != initials and not any(word == initials for word in one)


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
    return [word for word in _WORD.findall(_TAG.sub("", text.lower()))]


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in _ordered(text) if len(word) > 1 and word not in _EMPTY_WORDS)
