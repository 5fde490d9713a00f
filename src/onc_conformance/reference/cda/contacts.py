"""Names, addresses and telephone numbers, of whomever they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onc_conformance.reference.cda.markup import el, point, words

_ADDRESS_USES = {"home": "HP", "work": "WP", "vacation": "HV", "bad": "BAD", "temporary": "TMP"}
_TELECOM_USES = {"home": "HP", "mobile": "MC", "work": "WP", "vacation": "HV"}
NOWHERE = (
    '<addr nullFlavor="UNK"><streetAddressLine nullFlavor="UNK"/><city nullFlavor="UNK"/><state nullFlavor="UNK"/>'
    '<postalCode nullFlavor="UNK"/></addr>'
)
UNREACHABLE = '<telecom nullFlavor="UNK"/>'

ORGANIZATION = "Cedar Hollow Family Health"

Said = Mapping[str, Any]


def name_parts(name: Said, qualifier: str | None = None) -> str:
    """Prefix, given, family, suffix, in the order a name is spoken."""
    marks = {"qualifier": qualifier} if qualifier else {}
    given = name.get("given") or []
    return "".join(
        (
            words("prefix", name["prefix"]) if name.get("prefix") else "",
            *(words("given", part, marks) for part in ([given] if isinstance(given, str) else given)),
            words("family", str(name.get("family", "")), marks),
            words("suffix", name["suffix"]) if name.get("suffix") else "",
        )
    )


def postal(address: Said) -> str:
    """An address; the parts it must have are unknown where it has them not."""
    parts = [words("streetAddressLine", line) for line in address.get("line", [])]
    for tag, key in (("city", "city"), ("state", "state"), ("postalCode", "postal_code"), ("country", "country")):
        if address.get(key):
            parts.append(words(tag, str(address[key])))
        elif tag != "country":
            parts.append(el(tag, {"nullFlavor": "UNK"}))
    bounds = [point(tag, address[key]) for tag, key in (("low", "start"), ("high", "end")) if address.get(key)]
    if bounds:
        parts.append(el("useablePeriod", {"xsi:type": "IVL_TS"}, *bounds))
    use = _ADDRESS_USES.get(address.get("use", "home"))
    return el("addr", {"use": use} if use else {}, *parts)


def telecom(telecom: Said) -> str:
    """A telephone number or an e-mail address."""
    scheme = "mailto:" if telecom.get("system") == "email" else "tel:"
    use = _TELECOM_USES.get(telecom.get("use", ""))
    return el("telecom", ({"use": use} if use else {}) | {"value": scheme + str(telecom["value"])})


def reach(said: Said, otherwise: str = NOWHERE + UNREACHABLE) -> str:
    """Address and telecoms of somebody, or `otherwise` where nothing is known of either."""
    address, telecoms = said.get("address"), said.get("telecom")
    if not (address or telecoms):
        return otherwise
    return (postal(address) if address else NOWHERE) + ("".join(map(telecom, telecoms)) if telecoms else UNREACHABLE)
