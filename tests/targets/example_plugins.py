"""What a vendor's own code looks like where a description is not enough: an id that travels enciphered, a document that
comes as a bare body and has to be wrapped, and an operation that asks in its own way.

A description names these classes as "tests.targets.example_plugins:SealedId"; a package of your own has its own name,
and has only to be importable where the suite runs:

    [[ops.all_data.step]]
    url = "{base.api}/all"
    query = { patient = "{pat_id}" }
    plugin = "tests.targets.example_plugins:SealedId"
    document = { from = "text" }

    [ops.category]
    plugin = "tests.targets.example_plugins:ByFolder"

A package may bring a whole target: an entry point of the group onc_conformance.targets, as in
`acme = "acme_api:description"`, names a function without
arguments that returns the description as TOML text. Then `--target acme` works.
"""

from __future__ import annotations

from dataclasses import replace

from onc_conformance.targets.plugins import OpPlugin, Outcome, StepPlugin


class SealedId(StepPlugin):
    """Sends the patient's id backwards, as this vendor wants it, and wraps what comes back."""

    def request(self, prepared, names):
        number = str(names("pat_id"))
        return replace(prepared, url=prepared.url.replace(number, number[::-1]))

    def documents(self, found, exchange):
        return [b"<ClinicalDocument>" + body + b"</ClinicalDocument>" for body in found]


class ByFolder(OpPlugin):
    """Lists the folders of a patient, and fetches the one of the category."""

    def operate(self, call):
        days = {"from": call.window.first.isoformat()} if call.window and call.window.first else {}
        listed = call.send({"url": "{base.api}/folders", "query": {"patient": "{pat_id}", **days}})
        folder = listed.response_body.decode().split()[0]
        found = call.send({"url": f"{{base.api}}/folders/{folder}/{call.value('category')}"})
        return Outcome(documents=[(found.response_body, found)])


class FromBadge(OpPlugin):
    """Knows the patient's id by itself."""

    def operate(self, call):
        return Outcome(captures={"pat_id": "badge-" + call.value("patient.family")})


def description():
    """The target that an entry point brings."""
    return """
    [target]
    id = "folders"
    base.api = "{env.FOLDERS_URL}"
    [selection]
    kind = "search"
    [ops.select_patient]
    plugin = "tests.targets.example_plugins:FromBadge"
    [ops.category]
    plugin = "tests.targets.example_plugins:ByFolder"
    [categories]
    problems = "Problems"
    """
