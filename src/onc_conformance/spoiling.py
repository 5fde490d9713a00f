"""Values that look right and are wrong: an id or a token altered, or never issued."""

from __future__ import annotations

import uuid


def altered(value: str) -> str:
    """`value` with its last letter or digit replaced by the next one, its shape kept."""
    for index in range(len(value) - 1, -1, -1):
        if value[index].isascii() and value[index].isalnum():
            return value[:index] + _next(value[index]) + value[index + 1 :]
    return value + "0"


def never_issued(value: str) -> str:
    """A value of the same shape as `value` that no system can have issued: every digit and letter is drawn anew."""
    fresh = iter(
        uuid.uuid5(uuid.NAMESPACE_URL, f"urn:onc-conformance:never-issued:{value}").hex * (len(value) // 32 + 1)
    )
    drawn = "".join(_like(character, next(fresh)) if character.isalnum() else character for character in value)
    return drawn if drawn != value else altered(value)


def _next(character: str) -> str:
    if character.isdigit():
        return str((int(character) + 1) % 10)
    following = chr(ord(character) + 1)
    return following if following.isalpha() and following not in "gG" else ("a" if character.islower() else "A")


def _like(character: str, drawn: str) -> str:
    if character.isdigit():
        return str(int(drawn, 16) % 10)
    letter = "abcdef"[int(drawn, 16) % 6]
    return letter.upper() if character.isupper() else letter
