"""Check digits of code systems: computed here, never looked up."""

from __future__ import annotations

_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def luhn(number: str) -> bool:
    """Whether the last of these decimal digits is the mod 10 check digit of the others (ISO/IEC 7812-1, annex B).

    LOINC calls the same computation mod 10; a code is tested without its hyphen.
    """
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def verhoeff(number: str) -> bool:
    """Whether the last of these decimal digits is the Verhoeff check digit of the others (SNOMED CT, SCTID)."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = int(_DIHEDRAL[check][int(_PERMUTED[place % 8][int(digit)])])
    return check == 0


def npi(number: str) -> bool:
    """Whether these ten digits can be a National Provider Identifier: Luhn over the prefix 80840 (45 CFR 162.406)."""
    return len(number) == 10 and number.isascii() and number.isdigit() and number[0] in "12" and luhn(f"80840{number}")
