"""attestations.toml: what a person has still to look at and sign for, as a file ready to be filled in."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from onc_conformance.report.folder import put
from onc_conformance.report.run import Run

FILE = "attestations.toml"
VALID = timedelta(days=365)
"""How long an entry holds unless somebody decides otherwise."""
_HEAD = """\
# What a person has still to look at and sign for after this run, an entry for each step.
#
# who        the name and role of the one who looked
# when       the day of looking
# statement  what was seen, in a sentence
# evidence   a file beside this one that shows it: a screenshot, a document, a log
# sha256     of that file, as `sha256sum FILE` prints it
# expires    the last day the entry holds
#
# Entries you have already go into the same file. Then: onc-conformance run --attestations THIS-FILE …
"""


def render(run: Run) -> str:
    """The template; the run is masked already."""
    today = run.started.date()
    entries = [
        f"""
# {step.paragraph} {step.title}: {step.text}
[[attestation]]
step = {json.dumps(step.id)}
target = {json.dumps(target)}
who = ""
when = {today}
statement = ""
evidence = ""
sha256 = ""
expires = {today + VALID}
"""
        for step, target in run.settlement.unsigned
    ]
    return "".join([_HEAD, *entries])


def write(run: Run, path: Path) -> None:
    """Write the template where something is still to be attested; nothing otherwise."""
    if run.settlement.unsigned:
        put(path, render(run))
