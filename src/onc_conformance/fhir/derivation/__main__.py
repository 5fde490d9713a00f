"""`python -m onc_conformance.fhir.derivation FHIR_FOLDER PACKAGE.tgz… OUT` writes schemas/fhir-r4 and schemas/us-core.

FHIR_FOLDER holds profiles-types, profiles-resources, valuesets and v3-codesystems as HL7 publishes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from onc_conformance.fhir.derivation import tables


def main(arguments: list[str]) -> int:
    """Write every table; the exit code."""
    if len(arguments) < 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    folder, *guides, out = map(Path, arguments)
    base, codes = tables.of_fhir(folder)
    (out / "fhir-r4").mkdir(parents=True, exist_ok=True)
    (out / "us-core").mkdir(parents=True, exist_ok=True)
    (out / "fhir-r4" / "types.json").write_text(tables.text(base), encoding="utf-8")
    (out / "fhir-r4" / "codes.json").write_text(tables.text(codes), encoding="utf-8")
    for guide in guides:
        told = tables.of_package(guide, base)
        (out / "us-core" / f"{told['version']}.json").write_text(tables.text(told), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
