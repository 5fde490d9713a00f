"""A bundle of FHIR resources: by type, by reference, and down a path of element names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Resource = dict[str, Any]
"""A resource or an element, as JSON has it."""


class Placed(dict[str, Any]):
    """A resource that knows where it stands in what it came in."""

    __slots__ = ("line", "path")

    def __init__(self, resource: Mapping[str, Any], path: str | None = None, line: int | None = None) -> None:
        super().__init__(resource)
        self.path, self.line = path, line

    @property
    def label(self) -> Placed:
        """What it is called, and no more."""
        return Placed(
            {key: self[key] for key in ("resourceType", "id", "category") if key in self}, self.path, self.line
        )


class Bundle:
    """The resources of a Bundle, or one resource as a bundle of its own."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        entries = content.get("entry", ()) if content.get("resourceType") == "Bundle" else [{"resource": content}]
        self._by_reference: dict[str, Resource] = {}
        self._resources: list[Resource] = []
        for entry in entries if isinstance(entries, list) else ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict) or not resource.get("resourceType"):
                continue
            self._resources.append(resource)
            self._know(resource, entry.get("fullUrl"))

    @property
    def resources(self) -> Iterable[Resource]:
        """All of them, in order."""
        return self._resources

    def _know(self, resource: Resource, url: Any = None) -> None:
        """By what references call it."""
        for name in filter(
            None, (url, f"{resource['resourceType']}/{resource.get('id')}", f"urn:uuid:{resource.get('id')}")
        ):
            self._by_reference.setdefault(str(name), resource)

    def of(self, kind: str) -> list[Resource]:
        """The resources of a type, in order."""
        return [each for each in self.resources if each["resourceType"] == kind]

    def resolve(self, reference: Any, holder: Mapping[str, Any] | None = None) -> Resource | None:
        """What a reference points to, if the bundle has it, or the resource that holds the reference contains it."""
        name = str(reference.get("reference") or "") if isinstance(reference, dict) else ""
        if name.startswith("#"):
            inside = (holder or {}).get("contained")
            within = (each for each in inside if isinstance(each, dict)) if isinstance(inside, list) else ()
            return next((each for each in within if each.get("id") == name[1:] and each.get("resourceType")), None)
        name = name.partition("/_history/")[0]
        return self._by_reference.get(name) or self._by_reference.get("/".join(name.split("/")[-2:]))

    def down(self, element: Any, path: str, holder: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Everything at the end of a path of element names, through lists and, where they lead on, references.

        `holder` is the resource the element stands in, for references to what it contains.
        """
        if not path:
            yield from element if isinstance(element, list) else [element]
            return
        step, _, rest = path.partition(".")
        for each in element if isinstance(element, list) else [element]:
            if not isinstance(each, dict):
                continue
            if step in each:
                yield from self.down(each[step], rest, holder)
            elif "reference" in each and (target := self.resolve(each, holder)):
                yield from self.down(target.get(step, []), rest, target)


class Passing(Bundle):
    """Resources that pass by as often as they are asked for; of those that others refer to, a little is kept."""

    def __init__(self, again: Callable[[], Iterable[Placed]]) -> None:
        super().__init__({})
        self._again = again
        for each in self.resources:
            if each["resourceType"] in _REFERRED:
                self._know({name: value for name, value in each.items() if name in _TELLING})

    @property
    def resources(self) -> Iterable[Resource]:
        """All of them, in order."""
        return (each for each in self._again() if isinstance(each.get("resourceType"), str))


_REFERRED = frozenset({
    "Condition", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole", "RelatedPerson",
    "Specimen",
})  # fmt: skip
"""Types of resources that facts of others lead to."""
_TELLING = frozenset({"resourceType", "id", "code", "name", "type", "practitioner", "telecom", "address"})
"""What is read of them there."""
