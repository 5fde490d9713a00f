"""What `vocabulary list` prints: value sets, packs, and whether each binding refuses what no system has."""

from __future__ import annotations

from collections.abc import Iterator

from onc_conformance import vocabulary
from onc_conformance.ccda.coded.binding import KNOWN_BAD, bindings
from onc_conformance.vocabulary import Answer, ValueSet, packs


def lines() -> Iterator[str]:
    """A line per value set (OID, name, codes, source), per pack, and about the bindings. Raises DeadBinding."""
    for each in vocabulary.value_sets():
        yield "\t".join((each.oid, each.name, _size(each), each.pack or "built in"))
    for pack in packs.installed():
        yield f"pack {pack.label}: {len(pack.sets)} value sets from {', '.join(pack.sources)}; sha256 {pack.sha256}"
    proven = [binding.proven for binding in bindings()]
    mute = [binding for binding in proven if binding.canary is Answer.UNKNOWN_HERE]
    yield (
        f"{len(proven)} bindings: {len(proven) - len(mute)} refuse the code {KNOWN_BAD}; "
        f"{len(mute)} cannot refuse anything before their value sets are imported"
    )


def _size(value_set: ValueSet) -> str:
    count = sum(map(len, value_set.codes.values()))
    if value_set.grammar:
        return f"by form ({value_set.grammar})"
    if not count:
        return "known by name only"
    return f"{count} codes" if value_set.closed else f"{count} codes, others possible"
