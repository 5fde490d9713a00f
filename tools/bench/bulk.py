"""An export of many lines, every line validated: python tools/bench/bulk.py [--plot FILE] [LINES …].

The server and the client are processes of their own; each size has a client of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SIZES = (1_000, 10_000, 30_000, 100_000)


def client(url: str) -> None:
    """Read an export to its end as a run does, and print what it took."""
    from contenders import peak
    from joserfc.jwk import ECKey

    from onc_conformance import procedure, targets
    from onc_conformance.bulk.exports import Exports, Wanted
    from onc_conformance.bulk.service import Service
    from onc_conformance.bulk.watching import Changes, Form, Likeness, People, Support
    from onc_conformance.exchange import Journal
    from onc_conformance.fhir import tables
    from onc_conformance.redaction import Secrets

    with tempfile.NamedTemporaryFile("w", suffix=".jwk") as file:
        json.dump(ECKey.generate_key("P-384").as_dict(private=True), file)
        file.flush()
        env = {"FHIR_BASE": f"{url}/fhir", "FHIR_TOKEN": "bench-token-of-no-worth", "BULK_GROUP": "g"}
        text = targets.show("fhir").replace("[bulk.client]", f'[bulk.client]\ntoken_url = "{url}/token"')
        target = targets.load_text(text, "bench", env | {"BULK_CLIENT_ID": "bench", "BULK_JWK_FILE": file.name})
        guide = tables.load(procedure.edition(None).us_core)
        table = target.description.bulk
        assert table is not None
        exports = Exports(Service(targets.Client(target, Journal(Secrets())), table, lambda _: None))
        [export] = exports.begin([Wanted(name="of the group", path="Group/g/$export")])
        form, support = Form(guide), Support(guide)
        exports.told(export)
        began, spent = time.perf_counter(), time.process_time()
        files = exports.fetched(export, [form, support, People(()), Likeness({}), Changes()])
        seconds, busy = time.perf_counter() - began, time.process_time() - spent
    lines = sum(each.lines for each in files)
    assert all(each.ok and not each.many for each in files), "the export did not come whole"
    assert form.resources == lines, "a line was not validated"
    size = sum(each.bytes for each in files)
    print(
        json.dumps(
            {"lines": lines, "files": len(files), "bytes": size, "seconds": seconds, "busy": busy, "peak": peak()}
        )
    )


def measured(lines: int) -> dict[str, Any]:
    """What an export of so many lines takes."""
    with tempfile.TemporaryDirectory(prefix="bench-bulk-") as folder:
        server = subprocess.Popen(
            [sys.executable, str(HERE / "bulkserver.py"), str(lines), folder],
            stdout=subprocess.PIPE, text=True, env=surroundings(),
        )  # fmt: skip
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            done = subprocess.run(
                [sys.executable, str(HERE / "bulk.py"), "--client", url],
                stdout=subprocess.PIPE, text=True, check=True, env=surroundings(),
            )  # fmt: skip
        finally:
            server.terminate()
            server.wait()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def surroundings() -> dict[str, str]:
    """Where the package is, for a process of its own."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1] / "src"), str(HERE)])}


def rows(found: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """A table of what was measured."""
    return [
        (
            f"{each['lines']:,}",
            str(each["files"]),
            f"{each['bytes'] / 1e6:.1f}",
            f"{each['seconds']:.1f}",
            f"{each['lines'] / each['seconds']:,.0f}",
            f"{each['busy']:.1f}",
            f"{each['lines'] / each['busy']:,.0f}",
            f"{each['peak']:.0f}",
        )
        for each in found
    ]


HEAD = ("lines", "files", "MB", "s", "lines per s", "s of CPU", "lines per s of CPU", "peak MB")
_WIDE, _HIGH, _EDGE = 640, 300, 60


def plot(found: Sequence[dict[str, Any]]) -> str:
    """Memory and time over the number of lines, as SVG."""
    most = max(each["lines"] for each in found)
    across = [_EDGE + (_WIDE - 2 * _EDGE) * each["lines"] / most for each in found]
    # of different heights, so that the two lines do not end in one point
    top = {name: room * max(each[name] for each in found) for name, room in (("peak", 1.15), ("busy", 1.5))}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" ',
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDE}" height="{_HIGH}" fill="#fff"/>',
        f'<path d="M{_EDGE} 30V{_HIGH - 40}H{_WIDE - _EDGE}V30" fill="none" stroke="#888"/>',
        f'<text x="{_WIDE / 2}" y="{_HIGH - 6}" text-anchor="middle">lines exported and validated</text>',
    ]
    for name, color, label, x, anchor in (
        ("peak", "#0072b2", "peak memory, MB", _EDGE, "start"),
        ("busy", "#d55e00", "time of CPU, s", _WIDE - _EDGE, "end"),
    ):
        up = [_HIGH - 40 - (_HIGH - 70) * each[name] / top[name] for each in found]
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{color}"/>' for a, b in zip(across, up, strict=True)]
        parts += [
            f'<text x="{a:.1f}" y="{b - 8:.1f}" text-anchor="middle" fill="{color}">{each[name]:.0f}</text>'
            for a, b, each in zip(across, up, found, strict=True)
        ]
        parts.append(f'<text x="{x}" y="20" text-anchor="{anchor}" fill="{color}">{label}</text>')
    parts += [
        f'<text x="{a:.1f}" y="{_HIGH - 24}" text-anchor="middle">{each["lines"]:,}</text>'
        for a, each in zip(across, found, strict=True)
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """All sizes, one after the other."""
    options = argparse.ArgumentParser(prog="bulk.py", description=__doc__.partition("\n")[0])
    options.add_argument("lines", type=int, nargs="*", default=SIZES)
    options.add_argument("--plot", type=Path, help="an SVG file to draw")
    options.add_argument("--client", help=argparse.SUPPRESS)
    told = options.parse_args()
    if told.client:
        client(told.client)
        return
    found = [measured(each) for each in told.lines]
    for row in (HEAD, ["-" * len(each) for each in HEAD], *rows(found)):
        print("| " + " | ".join(row) + " |")
    if told.plot:
        told.plot.write_text(plot(found), encoding="utf-8")


if __name__ == "__main__":
    main()
