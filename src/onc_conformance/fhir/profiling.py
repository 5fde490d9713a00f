"""A resource by a profile: what the profile adds to FHIR itself."""

from __future__ import annotations

from typing import Any

from onc_conformance.fhir import bindings, references, slicing
from onc_conformance.fhir.errata import errata
from onc_conformance.fhir.hearing import Hearing, shown
from onc_conformance.fhir.invariants import GUIDE, Scope
from onc_conformance.fhir.nodes import Item, Node, items, tree
from onc_conformance.fhir.tables import Invariant, Kind, Profile
from onc_conformance.findings import Layer, Severity

_SAME = {"SimpleQuantity": "Quantity"}


class Judge:
    """One profile over one resource."""

    def __init__(self, hearing: Hearing, profile: Profile, scope: Scope) -> None:
        self._hearing, self._profile, self._scope = hearing, profile, scope

    def check(self, value: dict[str, Any], path: str) -> None:
        """Judge a resource, or an extension, that should keep to the profile."""
        self._item(tree(self._profile), Item(value, None, path))

    def _at(self, node: Node, found: list[Item], parent: Item) -> None:
        element = node.element
        least, most = element.min, element.max
        if len(found) < least:
            self._few(node, found, parent, least)
        if most is not None and 0 <= most < len(found):
            for each in found[most:]:
                message = f"{self._profile.name} allows {most} of {self._called(node)}"
                self._say(node, message, each.path, expected=f"at most {most}", found=str(len(found)))
        for each in found:
            self._item(node, each)
        if node.slices:
            self._slices(node, found, parent)

    def _few(self, node: Node, found: list[Item], parent: Item, least: int) -> None:
        place = f"{parent.path}.{node.name.removesuffix('[x]')}"
        message = f"{self._profile.name} requires {self._called(node)}"
        self._say(node, message, place, expected=f"at least {least}{self._wanted(node)}", found=str(len(found)))

    def _called(self, node: Node) -> str:
        sliced = node.id.rpartition(".")[2].partition(":")[2]
        return f"{node.name}, slice {sliced}" if sliced else node.name

    def _wanted(self, node: Node) -> str:
        for told in (node.element.fixed, node.element.pattern):
            if told is not None:
                return f", {shown(told)}"
        return ""

    def _slices(self, node: Node, found: list[Item], parent: Item) -> None:
        held: dict[str, list[Item]] = {name: [] for name in node.slices}
        order = []
        for each in found:
            for name, into in node.slices.items():
                if slicing.fits(node, into, each, self._hearing.codes):
                    held[name].append(each)
                    order.append(name)
                    break
            else:
                if node.slicing.rules == "closed":
                    message = f"{self._profile.name} allows no other than its slices of {node.name}"
                    self._say(node, message, each.path, expected=" or ".join(node.slices), found=shown(each.value))
        if node.slicing.ordered and order != sorted(order, key=list(node.slices).index):
            message = f"{self._profile.name} has the slices of {node.name} in an order"
            place = f"{parent.path}.{node.name.removesuffix('[x]')}"
            self._say(node, message, place, expected=", ".join(node.slices), found=", ".join(order))
        for name, into in node.slices.items():
            self._at(into, held[name], parent)

    def _item(self, node: Node, item: Item) -> None:
        element = node.element
        if element.types and not self._type(node, item, element.types):
            return
        for told, exact in ((element.fixed, True), (element.pattern, False)):
            if told is None or item.value is None:
                continue
            if slicing.holds(told, item.value, exact=exact):
                self._hearing.settle(item.path, self._profile.url)
            else:
                message = f"{self._profile.name} {'fixes the value' if exact else 'has a pattern'} here"
                self._say(node, message, item.path, expected=shown(told), found=shown(item.value))
        if element.binding and item.value is not None:
            judge = bindings.Judge(self._rule(node), self._profile.name, self._profile.url)
            bindings.check(self._hearing, item.value, element.binding, item.path, judge)
        for each in element.invariants:
            self._invariant(node, each, item)
        for inner in node.within.values():
            self._at(inner, items(item, inner.name), item)

    def _type(self, node: Node, item: Item, kinds: tuple[Kind, ...]) -> bool:
        if item.kind is not None:
            allowed = [each for each in kinds if _SAME.get(each.code, each.code) == item.kind]
            if not allowed:
                message = f"{self._profile.name} allows no {item.kind} here"
                expected = " or ".join(each.code for each in kinds)
                self._say(node, message, item.path, expected=expected, found=item.kind)
                return False
        else:
            allowed = list(kinds)
        for kind in allowed:
            if kind.code == "Reference" and kind.targets and isinstance(item.value, dict):
                rule = self._rule(node)
                references.allowed(self._hearing, item.value, item.path, kind.targets, self._profile.name, rule=rule)
            if kind.code == "SimpleQuantity" and isinstance(item.value, dict) and "comparator" in item.value:
                message = f"{self._profile.name} allows no comparator here"
                self._say(
                    node, message, f"{item.path}.comparator", expected="none", found=shown(item.value["comparator"])
                )
        return True

    def _invariant(self, node: Node, told: Invariant, item: Item) -> None:
        rule = GUIDE.get(told.digest)
        value = item.value if item.value is not None else (item.extra or {})
        if self._holds(told, value, item) is False:
            if erratum := errata().get((told.digest, node.element.path)):
                self._hearing.aside[erratum] += 1
                return
            message = f"{told.id} of {self._profile.name} does not hold"
            found = shown(", ".join(value)) if isinstance(value, dict) else shown(value)
            self._hearing.object(
                told.id, message, item.path, layer=Layer.TEMPLATE, severity=Severity(told.severity),
                expected=rule.says if rule else "what the rule asks for", found=found,
            )  # fmt: skip

    def _holds(self, told: Invariant, value: Any, item: Item) -> bool | None:
        """By the expression of an imported package, or by our rule; None where there is neither."""
        expression = self._hearing.tables.expressions.get(told.digest)
        if expression:
            from onc_conformance.fhir import expressions

            kind = item.kind or item.place
            answer = expressions.holds(expression, value, kind, self._scope)
            if answer is not None:
                return answer
        rule = GUIDE.get(told.digest)
        return rule.holds(value, self._scope) if rule else None

    def _rule(self, node: Node) -> str:
        return f"{self._profile.id}#{node.id}"

    def _say(self, node: Node, message: str, path: str, *, expected: str, found: str) -> None:
        self._hearing.object(
            self._rule(node),
            message,
            path,
            layer=Layer.TEMPLATE,
            expected=expected,
            found=found,
            hint=self._profile.url,
        )
