"""What Allure shows around the tests: the environment, the kinds of defect, and who ran them."""

from __future__ import annotations

import json
from pathlib import Path

from onc_conformance.redaction import Secrets
from onc_conformance.report.folder import put
from onc_conformance.report.results import timestamp
from onc_conformance.report.run import Run

_RESULTS = ("-result.json", "-container.json")
"""Files that Allure reads as JSON; all others are attachments."""
_CATEGORIES = (
    {"name": "The target does not conform", "matchedStatuses": ["failed"]},
    {"name": "Waits for a person", "matchedStatuses": ["skipped"], "messageRegex": "(?s).*attestation.*"},
    {
        "name": "Not claimed or not applicable",
        "matchedStatuses": ["skipped"],
        "messageRegex": "(?s).*not (claimed|applicable|in this edition).*",
    },
    {"name": "Not tested", "matchedStatuses": ["skipped"]},
    {"name": "A fault in this tool", "matchedStatuses": ["broken"]},
)


def write(run: Run, directory: Path) -> None:
    """Add environment.properties, categories.json and executor.json to the results; the run is masked already."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "environment.properties").write_text(_properties(_environment(run)), encoding="ascii")
    (directory / "categories.json").write_text(json.dumps(_CATEGORIES, indent=1), encoding="utf-8")
    executor = {
        "name": f"onc-conformance {run.version}",
        "type": "onc-conformance",
        "reportName": "ONC API conformance",
        "buildName": timestamp(run.started),
    }
    (directory / "executor.json").write_text(json.dumps(executor, indent=1), encoding="utf-8")


def mask_results(directory: Path, secrets: Secrets) -> int:
    """Mask every file of the folder by value, the last line of defence; returns how many files had to change.

    Call it once all processes of the run have ended and every secret is known.
    """
    changed = 0
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        found = path.read_bytes()
        masked = secrets.mask_bytes(found)
        if masked == found:
            continue
        if path.name.endswith(_RESULTS):
            masked = _mask_json(found, secrets)
        try:
            put(path, masked)
        except OSError:
            path.unlink()  # no room to mask it: rather lost than told
            raise
        changed += 1
    return changed


def _mask_json(found: bytes, secrets: Secrets) -> bytes:
    """Mask the texts of a result one by one, so that it stays JSON whatever a secret looks like."""
    return json.dumps(_mask_texts(json.loads(found), secrets), ensure_ascii=False).encode("utf-8", "replace")


def _mask_texts(content: object, secrets: Secrets) -> object:
    match content:
        case str():
            return secrets.mask_text(content)
        case list():
            return [_mask_texts(each, secrets) for each in content]
        case dict():
            return {secrets.mask_text(name): _mask_texts(each, secrets) for name, each in content.items()}
    return content


def _environment(run: Run) -> dict[str, str]:
    facts = {"Edition": f"{run.edition.id} ({run.edition.title})", "onc-conformance": run.version}
    for target in run.targets:
        product = " ".join(filter(None, (target.name or target.title, target.version)))
        facts[f"Target {target.id}"] = f"{product}, {target.developer}" if target.developer else product
    return facts


def _properties(facts: dict[str, str]) -> str:
    """Java properties: ASCII, with escapes."""
    return "".join(f"{_escaped(name, ' :=#!')}={_escaped(value, '')}\n" for name, value in facts.items())


def _escaped(text: str, special: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "")
    for char in special:
        escaped = escaped.replace(char, f"\\{char}")
    units = escaped.encode("utf-16-be")
    codes = (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)
