"""HL7 v3 timestamps: precision, real dates, zones (ISO 8601 basic form as the TS data type restricts it)."""

from __future__ import annotations

import calendar
import re
from functools import lru_cache

_SHAPE = re.compile(
    r"(?P<year>[0-9]{4})(?:(?P<month>[0-9]{2})(?:(?P<day>[0-9]{2})(?:(?P<hour>[0-9]{2})(?:(?P<minute>[0-9]{2})"
    r"(?:(?P<second>[0-9]{2})(?:\.[0-9]+)?)?)?)?)?)?(?P<zone>[+-][0-9]{1,4})?"
)


@lru_cache(maxsize=16384)
def objection(value: str) -> str | None:
    """What is impossible about a timestamp, in a few words; None if nothing is."""
    match = _SHAPE.fullmatch(value)
    if match is None:
        return "it is not YYYY[MM[DD[HH[MM[SS[.S]]]]]][+ZZZZ]"
    year, month, day, hour, minute, second, zone = match.groups()
    if year == "0000":
        return "there is no year 0"
    if month and not 1 <= int(month) <= 12:
        return f"there is no month {month}"
    if day and not 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1]:
        return f"{year}-{month} has no day {day}"
    if hour and int(hour) > 23:
        return f"there is no hour {hour}"
    if (minute and int(minute) > 59) or (second and int(second) > 59):
        return "minutes and seconds end at 59"
    if zone:
        if len(zone) != 5:
            return f"the zone {zone} is not +ZZZZ or -ZZZZ"
        if int(zone[1:3]) > 14 or int(zone[3:]) > 59 or (int(zone[1:3]) == 14 and zone[3:] != "00"):
            return f"there is no zone {zone}"
    return None


def precision(value: str) -> str:
    """`year`, `month`, `day`, `hour`, `minute` or `second` of a possible timestamp."""
    digits = len(re.split(r"[.+-]", value, maxsplit=1)[0])
    return {4: "year", 6: "month", 8: "day", 10: "hour", 12: "minute"}.get(digits, "second")
