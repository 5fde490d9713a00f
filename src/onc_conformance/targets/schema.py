"""The JSON Schema of a target description, made from its models; run as a module, this writes it."""

from __future__ import annotations

import json

from onc_conformance import suite
from onc_conformance.targets.models import Description

PATH = suite.schemas() / "target.schema.json"


def text() -> str:
    """The schema as it is kept: an editor that is given it knows every key of a description."""
    schema = Description.model_json_schema(by_alias=True, mode="validation")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "onc-conformance target description",
        "description": "How to speak to a vendor's API. Written as TOML.",
    }
    return json.dumps(head | {key: value for key, value in schema.items() if key not in head}, indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
