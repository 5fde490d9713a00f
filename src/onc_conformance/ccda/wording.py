"""Conditions of the template tables in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onc_conformance.ccda.constraints import Condition, Step

_NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five"}
_SIGNS = {"=": "as many", "<=": "no more", ">=": "no fewer", "<": "fewer", ">": "more"}
_PLAIN = {"..": "parent", "*": "element"}
_SHORT = 6
"""So many alternatives are named; of more, the first."""

Names = Mapping[tuple[str, str | None], str]
"""What templates are called, by root and extension."""


def clause(condition: Condition, names: Names) -> str:  # noqa: C901, PLR0912 - one arm for each kind of condition
    """What stands after "shall have"."""
    match condition:
        case {"path": steps, "has": has}:
            return f"in {_path(steps, names)}, if present, {_list(has, names)}"
        case {"path": steps, "min": 1} if "max" not in condition and (only := _only_value(steps)):
            return f"{_path([*steps[:-1], steps[-1]['step']], names)}/{clause(only, names)}"
        case {"path": steps}:
            return f"{_quantity(condition)} {_path(steps, names)}"
        case {"attribute": name}:
            return f"@{name}{_tests(condition)}"
        case {"text": _}:
            return f"the text{_tests(condition)}"
        case {"own_text": _}:
            return "text of its own"
        case {"template": root}:
            return f"the templateId of {_template(root, condition.get('extension'), names)}"
        case {"any": parts}:
            return "either " + ", or ".join(clause(part, names) for part in parts)
        case {"all": parts}:
            return _list(parts, names)
        case {"not": {"all": parts}}:
            return "not at once " + _list(parts, names)
        case {"not": {"path": _} as inner}:
            return "not " + clause(inner, names)
        case {"not": inner}:
            return "no " + clause(inner, names)
        case {"counts": [one, sign, other]}:
            than = "as" if sign == "=" else "than"
            return f"{_SIGNS[sign]} {_path(one, names)} {than} {_path(other, names)}"
        case {"together": parts}:
            return f"{_quantity(condition)} of {' or '.join(_path(part, names) for part in parts)}"
        case {"position": place}:
            return f"place {place} among its like"
    raise ValueError(f"no such condition: {dict(condition)}")


def expected(condition: Condition) -> str | None:
    """For a finding's `expected`: the value or number that is meant; None where it takes the whole clause to say."""
    match condition:
        case {"path": [*_, {"where": [{"attribute": name, "one_of": values, **rest}]}]} if not rest:
            return f"@{name} {_values(values)}"
        case {"attribute": name, "one_of": values}:
            return f"@{name} {_values(values)}"
        case {"path": [*_, str()]} if "has" not in condition:
            return _quantity(condition)
    return None


def demand(condition: Condition, verb: str, names: Names) -> str:
    """`shall have exactly one title`."""
    match condition:
        case {"not": {"path": _} as inner}:
            return f"{verb} not have {clause(inner, names)}"
        case {"path": steps, "has": has}:
            return f"{verb} have, if there is {_path(steps, names)}, in it {_list(has, names)}"
    return f"{verb} have {clause(condition, names)}"


def title(template: Mapping[str, Any]) -> str:
    """What a person calls a template."""
    return (
        template.get("name")
        or f"{template.get('element', 'template')} {identifier(template['root'], template.get('extension'))}"
    )


def identifier(root: str, extension: str | None) -> str:
    """`2.16.840.1.113883.10.20.22.2.17:2015-08-01`."""
    return f"{root}:{extension}" if extension else root


def _only_value(steps: Sequence[Step]) -> Condition | None:
    """The attribute of the last step, where that is all that is asked of it."""
    last = steps[-1]
    if isinstance(last, str) or "from" in last or len(last.get("where", ())) != 1:
        return None
    (only,) = last["where"]
    return only if "attribute" in only else None


def _template(root: str, extension: str | None, names: Names) -> str:
    name = names.get((root, extension)) or names.get((root, None))
    written = identifier(root, extension)
    return f"{name} ({written})" if name else written


def _quantity(condition: Condition) -> str:
    least, most = condition.get("min", 1), condition.get("max")
    if most == 0:
        return "no"
    if most is None:
        return f"at least {_NUMBERS.get(least, least)}"
    if least == most:
        return f"exactly {_NUMBERS.get(least, least)}"
    if least == 0:
        return f"at most {_NUMBERS.get(most, most)}"
    return f"{_NUMBERS.get(least, least)} to {_NUMBERS.get(most, most)}"


def _path(steps: Sequence[Step], names: Names) -> str:
    """`documentationOf/serviceEvent with @classCode "PCPR"`; where it starts is said only if it is not here."""
    written: list[str] = []
    start = ""
    for place, step in enumerate(steps, 1):
        asked: Mapping[str, Any] = {"step": step} if isinstance(step, str) else step
        if "from" in asked:
            start = "anywhere within " if asked["from"] == "descendants" else "in the document "
        name = _PLAIN.get(asked["step"], asked["step"])
        where = _list(asked.get("where", ()), names)
        if where:
            name = f"{name} with {where}" if place == len(steps) else f"{name} ({where})"
        written.append(name)
    return start + "/".join(written)


def _list(conditions: Sequence[Condition], names: Names) -> str:
    return " and ".join(clause(each, names) for each in conditions)


def _tests(condition: Condition) -> str:
    said = []
    for word, wanted in condition.items():
        match word:
            case "one_of":
                said.append(" " + _values(wanted))
            case "none_of":
                said.append(" other than " + _values(wanted))
            case "contains":
                said.append(" containing " + _values(wanted))
            case "starts_with":
                said.append(" starting with " + _values(wanted))
            case "min_length":
                said.append(f" of at least {wanted} characters")
            case "max_length":
                said.append(f" of at most {wanted} characters")
            case "value_set":
                said.append(f" from value set {wanted}")
    return "".join(said)


def _values(values: Sequence[str]) -> str:
    named = [f'"{value}"' for value in values[:_SHORT]]
    return " or ".join(named) + (" or …" if len(values) > _SHORT else "")
