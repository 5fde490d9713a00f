"""A test's tree as a constraint: the vocabulary of `onc_conformance.ccda.constraints`."""

from __future__ import annotations

from typing import Any

from onc_conformance.ccda.derivation.xpath import Call, Literal, Number, Path, Step, Tree

Condition = dict[str, Any]

ALWAYS: Condition = {"all": []}
"""What holds of everything."""


class UnknownFormError(ValueError):
    """A form of test that the vocabulary of constraints has no word for."""


def condition(tree: Tree) -> Condition:
    """The constraint a boolean expression states."""
    return _Reader().boolean(tree)


def steps(path: Path) -> list[Any]:
    """A path's elements with what is asked of each."""
    return _Reader().steps(path)


class _Reader:
    def boolean(self, tree: Tree) -> Condition:  # noqa: C901 - one arm for each form
        match tree:
            case Call("or", parts):
                return _either([self.boolean(part) for part in parts])
            case Call("|", parts):
                return _either([self.boolean(part) for part in parts])
            case Call("and", parts):
                return _all([self.boolean(part) for part in parts])
            case Call("not", (inner,)):
                return _negated(self.boolean(inner))
            case Call("=" | "!=" | "<" | "<=" | ">" | ">=" as sign, (left, right)):
                return self.compared(sign, left, right)
            case Call("contains" | "starts-with" as how, (Path() as path, Literal(value))):
                return self.about(path, {"contains" if how == "contains" else "starts_with": [value]})
            case Call("contains", (Literal(values), Path() as path)):
                return self.about(path, {"one_of": values.split()})
            case Call("normalize-space", ()):
                return {"text": True}
            case Path((Step("."),)):
                return ALWAYS
            case Path((Step("text()", (Call("normalize-space", ()),)),)):
                return {"own_text": True}
            case Path() as path:
                return self.about(path, {})
            case Number(value):
                return {"position": value}
        raise UnknownFormError(f"no constraint for {tree}")

    def compared(self, sign: str, left: Tree, right: Tree) -> Condition:  # noqa: C901 - one arm for each form
        if sign == "!=" and isinstance(right, Number) and right.value:
            return _negated(self.compared("=", left, right))
        match left, right:
            case Call("count", (Call("|", (one, other)),)), Number(1) if sign == "=" and not _elements(one, other):
                pair = [self.boolean(one), self.boolean(other)]
                return {"all": [{"any": pair}, {"not": {"all": pair}}]}
            case Call("count", (Call("|", parts),)), Number(value):
                return {"together": [self.steps(_path(part)) for part in parts], **_range(sign, value)}
            case Call("count", (Path() as path,)), Number(value):
                return self.counted(path, sign, value)
            case Call("count", (Path() as one,)), Call("count", (Path() as other,)):
                return {"counts": [self.steps(one), sign, self.steps(other)]}
            case Call("string-length", (Call("normalize-space", ()),)), Number(value):
                return {"text": True, "min_length": value, "max_length": value}
            case Call("string-length", (Call("normalize-space", _),)), Number(0):
                return {"own_text": True}
            case Call("string-length", (Path() as path,)), Number(value):
                bounds = _range(sign, value)
                if "max" not in bounds:
                    return self.about(path, {"min_length": bounds["min"]})
                return _negated(self.about(path, {"min_length": bounds["max"] + 1}))
            case Path() as path, Literal(value):
                return self.about(path, {"one_of": [value]} if sign == "=" else {"none_of": [value]})
            case Path() as path, Path((Step("document()"), *rest)):
                oid = next(
                    predicate.arguments[1].value
                    for step in rest
                    for predicate in step.predicates
                    if isinstance(predicate, Call) and isinstance(predicate.arguments[1], Literal)
                )
                return self.about(path, {"value_set": oid})
        raise UnknownFormError(f"no constraint for {left} {sign} {right}")

    def counted(self, path: Path, sign: str, value: int) -> Condition:
        bounds = _range(sign, value)
        if path.steps[-1].name.startswith("@"):
            present = self.about(path, {})
            return present if bounds["min"] else _negated(present)
        return _count(self.steps(path), bounds["min"], bounds.get("max"))

    def about(self, path: Path, test: Condition) -> Condition:
        """That a node of this path exists and its value passes the test."""
        *before, last = path.steps
        if last.name.startswith("@") or last.name == ".":
            stated: list[Condition] = [{"attribute": last.name.removeprefix("@"), **test}]
            stated += [_of_attribute(self.boolean(each), last.name[1:]) for each in last.predicates]
            if test == {} and len(stated) > 1:
                stated = stated[1:]
        elif last.name.startswith("xsi:"):  # an attribute all the same: no element is of that namespace
            stated = [{"attribute": last.name, **test}]
        else:
            found = self.steps(path)
            if test:
                found[-1] = _asking(found[-1], [{"text": True, **test}])
            return _count(found, 1, None)
        if not before:
            return _all(stated)
        found = self.steps(Path(tuple(before), path.absolute))
        found[-1] = _asking(found[-1], stated)
        return _count(found, 1, None)

    def steps(self, path: Path) -> list[Any]:
        found: list[Any] = []
        for place, step in enumerate(path.steps):
            if step.name == "." and not step.predicates and place == 0 and len(path.steps) > 1:
                continue
            bare = step.name.removeprefix("cda:")
            made: Any = bare
            where = [self.boolean(each) for each in step.predicates]
            if where or step.deep or (path.absolute and place == 0):
                made = {"step": bare}
                if step.deep:
                    made["from"] = "document" if path.absolute and place == 0 else "descendants"
                elif path.absolute and place == 0:
                    made["from"] = "root"
            if where:
                made = _asking(made, where)
            found.append(made)
        return found


def _elements(*parts: Tree) -> bool:
    """Whether each leads to elements, not to an attribute or to words."""
    return not any(isinstance(part, Path) and part.steps[-1].name.startswith(("@", "text(")) for part in parts)


def _path(tree: Tree) -> Path:
    if isinstance(tree, Path):
        return tree
    raise UnknownFormError(f"no path: {tree}")


def _range(sign: str, value: int) -> Condition:
    match sign:
        case "=":
            return {"min": value, "max": value}
        case ">":
            return {"min": value + 1}
        case ">=":
            return {"min": value}
        case "<":
            return {"min": 0, "max": value - 1}
        case "<=":
            return {"min": 0, "max": value}
        case "!=" if value == 0:
            return {"min": 1}
    raise UnknownFormError(f"no range for {sign} {value}")


def _count(path: list[Any], least: int, most: int | None) -> Condition:
    bounds: Condition = {"path": path, "min": least}
    if most is not None:
        bounds["max"] = most
    last = path[-1]
    if len(path) == 1 and isinstance(last, dict) and last["step"] == "templateId" and "from" not in last:
        named = _template(last["where"])
        if named and least == 1 and most is None:
            return named
    return bounds


def _template(where: list[Condition]) -> Condition | None:
    """A templateId's conditions in one word."""
    stated: Condition = {}
    for each in where:
        if each.keys() == {"attribute", "one_of"} and len(each["one_of"]) == 1:
            stated[each["attribute"]] = each["one_of"][0]
        elif each == {"not": {"attribute": "extension"}}:
            stated["extension"] = ""
        else:
            return None
    if "root" not in stated or stated.keys() - {"root", "extension"}:
        return None
    return {"template": stated.pop("root"), **stated}


def _asking(step: Any, more: list[Condition]) -> Condition:
    made = dict(step) if isinstance(step, dict) else {"step": step}
    asked: list[Condition] = []
    for each in more:
        asked += each["all"] if each.keys() == {"all"} else [each]
    made["where"] = [*made.get("where", []), *asked]
    return made


def _all(parts: list[Condition]) -> Condition:
    flat: list[Condition] = []
    for part in parts:
        flat += part["all"] if part.keys() == {"all"} else [part]
    tested = {part["attribute"] for part in flat if "attribute" in part and len(part) > 1}
    flat = [part for part in flat if part.keys() != {"attribute"} or part["attribute"] not in tested]
    return flat[0] if len(flat) == 1 else {"all": flat}


def _either(parts: list[Condition]) -> Condition:
    flat: list[Condition] = []
    for part in parts:
        flat += part["any"] if part.keys() == {"any"} else [part]
    if ALWAYS in flat:
        return ALWAYS
    if len(flat) == 2 and (optional := _optional(*flat)):
        return optional
    if all(each.keys() == {"attribute", "one_of"} and each["attribute"] == flat[0]["attribute"] for each in flat):
        return {"attribute": flat[0]["attribute"], "one_of": [value for each in flat for value in each["one_of"]]}
    return {"any": flat}


def _optional(absent: Condition, required: Condition) -> Condition | None:
    """`path` absent, or as required: one constraint on what may be absent."""
    if absent.get("max") != 0 or "path" not in absent or "path" not in required or required.get("max") == 0:
        return None
    if absent["path"][:-1] != required["path"][:-1]:
        return None
    bare, full = absent["path"][-1], required["path"][-1]
    if not isinstance(full, dict):
        return None
    bare = bare if isinstance(bare, dict) else {"step": bare}
    asked, more = bare.get("where", []), full["where"]
    if bare["step"] != full["step"] or bare.get("from") != full.get("from") or more[: len(asked)] != asked:
        return None
    step: Any = dict(bare) if asked else bare["step"] if "from" not in bare else bare
    return {"path": [*absent["path"][:-1], step], "has": more[len(asked) :], "optional": True}


def _negated(inner: Condition) -> Condition:
    if inner.keys() == {"not"}:
        return dict(inner["not"])
    if inner.keys() == {"path", "min"} and inner["min"] == 1:
        return {"path": inner["path"], "min": 0, "max": 0}
    if inner.get("max") == 0 and inner.keys() == {"path", "min", "max"}:
        return {"path": inner["path"], "min": 1}
    return {"not": inner}


def _of_attribute(inner: Condition, name: str) -> Condition:
    """What is said of `.` said of the attribute it stands for."""
    if inner.get("attribute") == ".":
        return {**inner, "attribute": name}
    if inner.keys() == {"not"}:
        return {"not": _of_attribute(inner["not"], name)}
    for word in ("any", "all"):
        if word in inner:
            return {word: [_of_attribute(each, name) for each in inner[word]]}
    raise UnknownFormError(f"not about an attribute: {inner}")
