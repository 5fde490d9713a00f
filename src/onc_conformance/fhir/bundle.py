"""A bundle of FHIR resources: by type, by reference, and down a path of element names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Resource = dict[str, Any]
"""A resource or an element, as JSON has it."""


class Bundle:
    """The resources of a Bundle, or one resource as a bundle of its own."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        entries = content.get("entry", ()) if content.get("resourceType") == "Bundle" else [{"resource": content}]
        self._by_reference: dict[str, Resource] = {}
        self.resources: list[Resource] = []
        for entry in entries if isinstance(entries, list) else ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict) or not resource.get("resourceType"):
                continue
            self.resources.append(resource)
            names = [entry.get("fullUrl"), f"{resource['resourceType']}/{resource.get('id')}"]
            names.append(f"urn:uuid:{resource.get('id')}")
            for name in filter(None, names):
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
