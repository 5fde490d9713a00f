"""What a template's table can demand of an element, and the same as XPath 1.0.

A condition is one of (see schemas/ccda/templates/README.md):

    {"path": [steps], "min": 1, "max": 1}             so many of these elements
    {"path": [steps], "has": [...], "optional": true}  none of these elements, or one that has all this
    {"attribute": "code"} or {"text": true}            it is there, and passes the tests that stand beside it
    {"own_text": true}                                 words of its own, outside its elements
    {"template": root, "extension": date}              a templateId; "" for one without extension
    {"any": [...]}, {"all": [...]}, {"not": {...}}
    {"counts": [steps, "<=", steps]}                   as many of these as of those
    {"together": [steps, steps], "min": 1, "max": 1}   so many of all these elements
    {"position": 1}                                    where among its like it stands

A step is a name, or {"step": name, "where": [conditions], "from": "document" | "descendants" | "root"}. A test is one
of `one_of`, `none_of`, `contains`, `starts_with` (each a list), `min_length`, `max_length`, `value_set` (an OID).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Condition = Mapping[str, Any]
Step = str | Mapping[str, Any]

NAMESPACES = {
    "cda": "urn:hl7-org:v3",
    "sdtc": "urn:hl7-org:sdtc",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "onc": "urn:onc-conformance",
}
"""Prefixes of the XPath written here."""
_BEFORE = {"document": "//", "descendants": ".//", "root": "/"}
_BARE = frozenset({"..", "*", "."})


def test(condition: Condition) -> str:  # noqa: C901 - one arm for each kind of condition
    """An XPath that is true of an element that meets the condition; one operand or a bracket, so that `and` binds."""
    match condition:
        case {"path": steps, "has": has}:
            found = path(steps)
            return f"(not({found}) or {found}{_predicates(has)})"
        case {"path": steps}:
            return _counted(path(steps), condition)
        case {"attribute": _} | {"text": _}:
            return _value(condition)
        case {"own_text": _}:
            return "boolean(text()[normalize-space()])"
        case {"template": root}:
            return f"cda:templateId{template(root, condition.get('extension'))}"
        case {"any": parts}:
            return "({})".format(" or ".join(test(part) for part in parts))
        case {"all": parts}:
            return "({})".format(" and ".join(test(part) for part in parts)) if parts else "true()"
        case {"not": inner}:
            return f"not({test(inner)})"
        case {"counts": [one, sign, other]}:
            return f"count({path(one)}) {sign} count({path(other)})"
        case {"together": parts}:
            return _counted(" | ".join(path(part) for part in parts), condition)
        case {"position": place}:
            return f"position()={place}"
    raise ValueError(f"no such condition: {dict(condition)}")


def path(steps: Sequence[Step]) -> str:
    """The elements that the steps lead to."""
    written = []
    for place, step in enumerate(steps):
        if isinstance(step, str):
            written.append(("/" if place else "") + _name(step))
            continue
        before = _BEFORE.get(step.get("from", ""), "")
        if place:
            before = "//" if before else "/"
        written.append(before + _name(step["step"]) + _predicates(step.get("where", ())))
    return "".join(written)


def template(root: str, extension: str | None) -> str:
    """The predicate of a templateId; no extension asked for: any will do."""
    if extension is None:
        return f"[@root='{root}']"
    if extension == "":
        return f"[@root='{root}' and not(@extension)]"
    return f"[@root='{root}' and @extension='{extension}']"


def literal(value: str) -> str:
    """A string as XPath 1.0 writes it."""
    if "'" not in value:
        return f"'{value}'"
    return f'"{value}"'


def _name(name: str) -> str:
    return name if ":" in name or name in _BARE else f"cda:{name}"


def _predicates(conditions: Sequence[Condition]) -> str:
    return "".join(f"[{test(each)}]" for each in conditions)


def _counted(found: str, condition: Condition) -> str:
    least, most = condition.get("min", 1), condition.get("max")
    if most is None:
        return f"boolean({found})" if least == 1 else f"count({found})>={least}"
    if most == 0:
        return f"not({found})"
    if least == most:
        return f"count({found})={least}"
    if least == 0:
        return f"count({found})<={most}"
    return f"(count({found})>={least} and count({found})<={most})"


def _value(condition: Condition) -> str:  # noqa: C901 - one arm for each kind of test
    """Of an attribute or of an element's own words."""
    if "attribute" in condition:
        said = "." if condition["attribute"] == "." else f"@{condition['attribute']}"
        bare = said
    else:
        said, bare = "normalize-space(.)", "normalize-space(.)"
    tests = []
    for word, wanted in condition.items():
        match word:
            case "one_of":
                tests += [_alternatives(f"{said}={literal(value)}" for value in wanted)]
            case "none_of":
                tests += [f"{said}!={literal(value)}" for value in wanted]
            case "contains":
                tests += [_alternatives(f"contains({said},{literal(value)})" for value in wanted)]
            case "starts_with":
                tests += [_alternatives(f"starts-with({said},{literal(value)})" for value in wanted)]
            case "min_length":
                tests += [f"string-length({said})>={wanted}"]
            case "max_length":
                tests += [f"string-length({said})<={wanted}"]
            case "value_set":
                tests += [f"onc:in-value-set('{wanted}',string({said}))"]
    if not tests:
        return bare
    return tests[0] if len(tests) == 1 else "({})".format(" and ".join(tests))


def _alternatives(tests: Any) -> str:
    written = list(tests)
    return written[0] if len(written) == 1 else "({})".format(" or ".join(written))
