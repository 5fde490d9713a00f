"""Runs against servers that misbehave: each a process of its own, and what it left behind."""

import json
import os
import resource
import subprocess
import sys
import time
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.suite import certificates
from tests.suite.vendor import CCD, DESCRIPTION, PASSWORD, PATIENTS, TOKEN, Vendor

import onc_conformance

ENOUGH = ("--criterion", "g9", "--tags", "G9-IA-SUT-1 and not beyond")
"""One scenario that asks for all data."""
MEMORY = 300 * 1024
MEASURED = """
import sys
from onc_conformance.cli import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:
    print("peak", next(line.split()[1] for line in status if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(code)
"""


@dataclass
class Ended:
    """What a run left behind."""

    code: int
    out: str
    err: str
    folder: Path
    asked: list = field(default_factory=list)

    @property
    def results(self):
        return json.loads((self.folder / "results.json").read_text(encoding="utf-8"))

    @property
    def evidence(self):
        return json.loads((self.folder / "evidence/index.json").read_text(encoding="utf-8"))

    def line(self, said):
        """The one line of the terminal that says it."""
        lines = [line for line in (self.out + self.err).splitlines() if said in line]
        assert lines, self.out + self.err
        return lines[0]

    def is_readable(self):
        """Whether every report of the run is there, whole and without a secret."""
        assert self.results["exit_code"] == self.code
        ET.parse(self.folder / "junit.xml")
        assert (self.folder / "dossier.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
        for entry in self.evidence:
            assert json.loads((self.folder / "evidence" / entry["file"]).read_text(encoding="utf-8"))
        for path in self.folder.rglob("*"):
            if path.is_file():
                assert TOKEN.encode() not in path.read_bytes(), path
        return True


def command(folder, urls, *options, target="", wrapper=("-m", "onc_conformance"), limit=None):
    """Run the suite on the vendor at an address, or several by name; `target` are more lines of the description."""
    folder.mkdir(exist_ok=True)
    named = urls if isinstance(urls, dict) else {"acme": (urls, target)}
    for name, (url, lines) in named.items():
        table = f'id = "{name}"\nbase.api = "{url}"\n{lines or "timeout_s = 9"}\n'
        described = DESCRIPTION.replace('id = "acme"\nbase.api = "{env.ACME_URL}"\n', table)
        (folder / f"{name}.toml").write_text(described, encoding="utf-8")
    (folder / "patients.toml").write_text(PATIENTS, encoding="utf-8")
    room = Path(onc_conformance.__file__).parents[1]
    files = [f"{name}.toml" for name in named]
    done = subprocess.run(
        [sys.executable, *wrapper, "run", "--target", *files, "--patients", "patients.toml", *options],
        cwd=folder,
        env={**os.environ, "ACME_PASS": PASSWORD, "PYTHONPATH": str(room)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        preexec_fn=limit,
    )
    return Ended(done.returncode, done.stdout, done.stderr, folder / "reports/latest")


def raw(head, *pieces, every=0.0):
    """An answer of these bytes, a piece at a time."""

    def answer(handler):
        handler.wfile.write(head + b"\r\n\r\n")
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(every)

    return answer


def flood(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
    piece = b"<flood/>" * (1 << 17)
    for _ in range(300):
        handler.wfile.write(piece)


def bombed():
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(300)) + packer.flush()
    return raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Encoding: gzip", packed)


def to(address):
    return raw(b"HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: " + address.encode())


def first(vendor, part, *weather):
    """These answers to the first requests for a part, and what the vendor answers otherwise after them."""
    left, usual = list(weather), vendor.answers[part]

    def answer(handler):
        given = left.pop(0)
        if not left:
            vendor.answers[part] = usual
        given(handler)

    vendor.answers[part] = answer


def patiently(status, when):
    return raw(f"HTTP/1.1 {status} Later\r\nRetry-After: {when}\r\nContent-Length: 0".encode())


def with_answer(part, answer, *options, **more):
    """A case: the vendor with one answer replaced."""

    def case(folder):
        with Vendor() as vendor:
            vendor.answers[part] = answer
            ended = command(folder, vendor.url, *(options or ENOUGH), **more)
            ended.asked = list(vendor.asked)
            return ended

    return case


def unusable(folder):
    """Vendors whose login and search work, and whose documents come in different kinds of weather."""
    with ExitStack() as entered:
        other = entered.enter_context(Vendor())
        weather = {
            "trickle": raw(b"HTTP/1.1 200 OK", *[b"<"] * 200, every=0.05),
            "cut": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999", CCD),
            "loop": to("/ccd/p-77"),
            "elsewhere": to(f"{other.url}/stolen?token={TOKEN}"),
            "impatient": patiently(429, "3600"),
            "busy": raw(b"HTTP/1.1 503 Busy", b"busy"),
        }
        vendors = {name: entered.enter_context(Vendor()) for name in weather}
        for name, vendor in vendors.items():
            vendor.answers["ccd"] = weather[name]
        named = {name: (vendor.url, "timeout_s = 0.5" if name == "trickle" else "") for name, vendor in vendors.items()}
        ended = command(folder, named, *ENOUGH)
        ended.asked = {"other": other.asked, **{name: vendor.asked for name, vendor in vendors.items()}}
        return ended


def unreachable(folder):
    """Vendors nobody can log in to, for different reasons."""
    folder.mkdir()
    files = certificates.issued(folder)
    trusting = f'tls_verify = "{files["authority"]}"'
    with ExitStack() as entered:
        other = entered.enter_context(Vendor())
        vendors = {
            "silent": entered.enter_context(Vendor()),
            "elsewhere": entered.enter_context(Vendor()),
            "cut": entered.enter_context(Vendor()),
            "busy": entered.enter_context(Vendor()),
            "untrusted": entered.enter_context(certificates.served(files)),
            "expired": entered.enter_context(certificates.served(files, "expired")),
        }
        vendors["silent"].answers["login"] = lambda _: time.sleep(1.5)
        vendors["elsewhere"].answers["login"] = to(f"{other.url}/stolen?token={TOKEN}")
        vendors["cut"].answers["login"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99", b"{")
        vendors["busy"].answers["login"] = raw(b"HTTP/1.1 503 Busy", b"busy")
        lines = {"silent": "timeout_s = 0.5", "expired": trusting}
        named = {name: (vendor.url, lines.get(name, "")) for name, vendor in vendors.items()}
        ended = command(folder, {**named, "away": ("http://127.0.0.1:1", "")}, *ENOUGH)
        ended.asked = {"other": other.asked, **{name: vendor.asked for name, vendor in vendors.items()}}
        return ended


def trusted(folder):
    folder.mkdir()
    files = certificates.issued(folder)
    with certificates.served(files) as vendor:
        ended = command(folder, vendor.url, *ENOUGH, target=f'tls_verify = "{files["authority"]}"')
        ended.asked = list(vendor.asked)
        return ended


def dying(folder):
    """The server answers a few requests and then nobody any more."""
    with Vendor() as vendor:

        def gone(_):
            if len(vendor.asked) > 3:
                vendor.answers = dict.fromkeys(vendor.answers, lambda handler: handler.connection.close())

        vendor.before = gone
        return command(folder, vendor.url, "--criterion", "g7", "g9")


def hanging(folder):
    """The server answers a few requests and then hangs at each."""
    with Vendor() as vendor:

        def gone(_):
            if len(vendor.asked) > 3:
                vendor.answers = dict.fromkeys(vendor.answers, lambda _: time.sleep(1.5))

        vendor.before = gone
        return command(folder, vendor.url, "--criterion", "g7", "g9", target="timeout_s = 0.5")


def out_of_time(folder):
    with Vendor() as vendor:
        vendor.before = lambda path: time.sleep(1 if path.startswith("/ccd") else 0)
        return command(folder, vendor.url, "--max-seconds", "8", target="timeout_s = 9")


def held_up(folder):
    """The one request there is would outlast the run."""
    with Vendor() as vendor:
        vendor.answers["ccd"] = raw(b"HTTP/1.1 200 OK", *[b"<"] * 600, every=0.1)
        return command(folder, vendor.url, *ENOUGH, "--max-seconds", "8", target="timeout_s = 20")


def full_disk(size):
    """No file may grow beyond `size` bytes: as on a disk with that much left, what is longer cannot be written."""

    def case(folder):
        with Vendor() as vendor:
            limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))  # noqa: E731
            return command(folder, vendor.url, "--criterion", "g9", limit=limit)

    return case


MEASURE = {"wrapper": ("-c", MEASURED)}
CASES = {
    "calm": with_answer("ccd", (200, "text/xml", CCD), "--criterion", "g9"),
    "flood": with_answer("ccd", flood, "--criterion", "g9", **MEASURE),
    "bomb": with_answer("ccd", bombed(), "--criterion", "g9", **MEASURE),
    "unusable": unusable,
    "unreachable": unreachable,
    "trusted": trusted,
    "dying": dying,
    "hanging": hanging,
    "out of time": out_of_time,
    "held up": held_up,
    "full at once": full_disk(100),
    "full later": full_disk(6_000),
}
