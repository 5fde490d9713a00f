"""What Allure shows around the tests: the environment, the kinds of defect, and who ran them."""

from __future__ import annotations

import json
from pathlib import Path

from onc_conformance.redaction import Secrets
from onc_conformance.report import evidence, shelf
from onc_conformance.report.folder import put
from onc_conformance.report.results import timestamp
from onc_conformance.report.run import Run

CATEGORIES = "categories.json"
_RESULTS = ("-result.json", "-container.json")
"""Files that Allure reads as JSON; all others are attachments."""
_ANY = r"[\s\S]*"
"""Anything, in Java (Allure 2) and in JavaScript (Allure 3)."""
_CATEGORIES = (
    {"name": "The target does not conform", "matchedStatuses": ["failed"]},
    {"name": "Waits for a person", "matchedStatuses": ["skipped"], "messageRegex": rf"{_ANY}attestation{_ANY}"},
    {
        "name": "Not claimed or not applicable",
        "matchedStatuses": ["skipped"],
        "messageRegex": rf"{_ANY}not (claimed|applicable|in this edition){_ANY}",
    },
    {"name": "Not tested", "matchedStatuses": ["skipped"]},
    {"name": "A fault in this tool", "matchedStatuses": ["broken"]},
)


def write(run: Run, directory: Path) -> None:
    """Add environment.properties, categories.json and executor.json to the results; the run is masked already."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "environment.properties").write_text(_properties(_environment(run)), encoding="ascii")
    (directory / CATEGORIES).write_text(json.dumps(_CATEGORIES, indent=1), encoding="utf-8")
    executor = {
        "name": f"onc-conformance {run.version}",
        "type": "onc-conformance",
        "reportName": "ONC API conformance",
        "buildName": timestamp(run.started),
    }
    (directory / "executor.json").write_text(json.dumps(executor, indent=1), encoding="utf-8")


def finish(directory: Path, evidence_folder: Path, secrets: Secrets) -> int:
    """Keep what the results promise of exchanges, and mask every other file by value, the last line of defence.

    Call it once all processes of the run have ended, every secret is known and the evidence is written. Returns how
    many files had to change.
    """
    kept: dict[str, bool] = {}
    changed, full = 0, None
    for path in [path for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_symlink()]:
        try:
            changed += _finish(path, evidence_folder, secrets, kept)
        except OSError as error:
            path.unlink(missing_ok=True)  # no room to mask it: rather lost than told
            full = full or error
        except json.JSONDecodeError:
            path.unlink()  # Allure had no room to write it whole
    if full:
        raise full
    return changed


def _finish(path: Path, evidence_folder: Path, secrets: Secrets, kept: dict[str, bool]) -> bool:
    found = path.read_bytes()
    masked = secrets.mask_bytes(found)
    if path.name.endswith(_RESULTS):
        if masked != found:
            masked = _mask_json(found, secrets)
        if path.name.endswith(_RESULTS[0]) and b"-attachment." in masked:
            masked = _keep(masked, path.parent, evidence_folder, kept)
    if masked == found:
        return False
    put(path, masked)
    return True


def _keep(content: bytes, directory: Path, evidence_folder: Path, kept: dict[str, bool]) -> bytes:
    """Write the exchanges that a result promises; the result without those the evidence does not hold."""
    result = json.loads(content)
    for part, exchange, source in shelf.promised(result):
        if source not in kept:
            kept[source] = _write_part(part, evidence_folder, exchange, directory / source)
    broken = {source for _, _, source in shelf.promised(result) if not kept[source]}
    if not broken:
        return content
    shelf.withdraw(result, broken)
    return json.dumps(result, ensure_ascii=False).encode("utf-8", "replace")


def _write_part(part: str, evidence_folder: Path, exchange: str, path: Path) -> bool:
    if not (evidence_folder / f"{exchange}.json").is_file():
        return False
    facts = evidence.read(evidence_folder, exchange)
    if part == "answer":
        if facts["response"]:
            path.write_bytes((evidence_folder / facts["response"]).read_bytes())
        return bool(facts["response"])
    lines = [facts["curl"], "", facts["error"] or "", evidence.came(facts["status"])]
    lines += [f"{name}: {value}" for name, value in facts["response_headers"]]
    lines += ["", f"sha256 {facts['sha256']}", f"{facts['seconds'] * 1000:.0f} ms"]
    path.write_text("\n".join(lines), encoding="utf-8")
    return True


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
