"""What the JSON of a request to EHR Your Way asks for, and the failure it is answered with where it makes no sense."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask import request

from onc_conformance.reference import ehryourway_categories as categories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onc_conformance.reference.people import Window

Json = dict[str, Any]
_KINDS = {"application/json", "text/json", "text/plain"}


class Failure(Exception):  # noqa: N818 - the vendor's word
    """What ValidationMessages says, and the HTTP status it is said with."""

    def __init__(self, message: str, status: int = 200) -> None:
        self.status = status
        super().__init__(message)


def body() -> Json:
    """The JSON object in the request, whichever of three content types it claims to be."""
    if request.mimetype not in _KINDS:
        return {}
    try:
        sent = json.loads(request.get_data())
    except ValueError:
        return {}
    return sent if isinstance(sent, dict) else {}


def sections(sent: Json, *, everything: bool) -> Sequence[str]:
    asked = sent.get("Sections")
    if not isinstance(asked, list) or not asked or not all(isinstance(one, str) for one in asked):
        raise Failure("Sections is a list of names.")
    if everything:
        if [one.casefold() for one in asked] != ["all"]:
            raise Failure('Sections is ["all"] here; GetClinicalDataByCategory answers single categories.')
        return ()
    unknown = [one for one in asked if categories.named(one) is None]
    if unknown:
        raise Failure(f"Section {unknown[0]} is not a category of this service.")
    return [category for one in asked if (category := categories.named(one))]


def window(sent: Json) -> Window | None:
    """FromDate and ToDate, both or neither, both included."""
    texts = [str(sent.get(name) or "").strip() for name in ("FromDate", "ToDate")]
    if not any(texts):
        return None
    if not all(texts):
        raise Failure("FromDate and ToDate are given together or not at all.")
    first, last = (_day(text) for text in texts)
    if first > last:
        raise Failure("FromDate is later than ToDate.")
    return first, last


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%m/%d/%Y").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        raise Failure(f"{text} is not a date, MM/DD/YYYY.") from None
