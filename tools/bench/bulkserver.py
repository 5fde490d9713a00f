"""A server of one export of so many lines, for the bench: python bulkserver.py LINES FOLDER; prints its address.

Its resources are those of the reference EHR's smallest patients, again and again, each with an id of its own.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from onc_conformance import suite
from onc_conformance.reference import ReferenceEHR

OF_A_FILE = 5_000
"""Lines of a file at the most."""
LEFT_OUT = {"Group", "Binary", "Endpoint"}


def resources() -> list[dict[str, object]]:
    """What the reference EHR has of its smallest patients."""
    with ReferenceEHR(patients=[suite.schemas() / "patients" / "tiny.toml"]) as ehr:
        records = ehr._fhir.records  # noqa: SLF001 - there is no door to all of them
        return [one for kind in records.kinds() if kind not in LEFT_OUT for one in records.of_type(kind)]


def written(lines: int, folder: Path) -> list[dict[str, object]]:
    """Files with so many lines altogether; what the manifest says of them."""
    found = resources()
    many: dict[str, int] = defaultdict(int)
    files = {}
    for number in range(lines):
        one = found[number % len(found)]
        kind, time = str(one["resourceType"]), number // len(found)
        if time and kind != "Patient":  # patients stay two
            one = one | {"id": f"{one['id']}-{time}"}
        name = f"{kind}-{many[kind] // OF_A_FILE + 1}.ndjson"
        many[kind] += 1
        if name not in files:
            files[name] = (folder / name).open("w", encoding="utf-8")
        files[name].write(json.dumps(one) + "\n")
    for file in files.values():
        file.close()
    counts = {name: sum(1 for _ in (folder / name).open("rb")) for name in files}
    return [{"type": name.partition("-")[0], "url": name, "count": count} for name, count in counts.items()]


def main() -> None:
    lines, folder = int(sys.argv[1]), Path(sys.argv[2])
    output = written(lines, folder)
    patients = sorted({str(one["id"]) for one in resources() if one["resourceType"] == "Patient"})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.told({"access_token": "bench-token-of-no-worth", "token_type": "bearer", "expires_in": 3000})

        def do_GET(self) -> None:
            base = f"http://{self.headers['Host']}"
            name = self.path.rpartition("/")[2]
            if self.path.endswith("/$export"):
                self.told({}, 202, {"Content-Location": f"{base}/status"})
            elif name == "status":
                files = [each | {"url": f"{base}/files/{each['url']}"} for each in output]
                told = {"transactionTime": "2026-11-01T00:00:00Z", "request": f"{base}/fhir/Group/g/$export"}
                self.told({**told, "requiresAccessToken": True, "output": files, "error": []})
            elif name == "g":
                members = [{"entity": {"reference": f"Patient/{each}"}} for each in patients]
                self.told({"resourceType": "Group", "member": members})
            else:
                path = folder / name
                self.send_response(200)
                self.send_header("Content-Type", "application/fhir+ndjson")
                self.send_header("Content-Length", str(path.stat().st_size))
                self.end_headers()
                with path.open("rb") as file:
                    shutil.copyfileobj(file, self.wfile)

        def told(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            for header, value in {"Content-Type": "application/json", **(headers or {})}.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
