"""`onc-conformance serve` in another process, for tests."""

import os
import signal
import subprocess
import sys
import time

from onc_conformance import suite


class Service:
    """`onc-conformance serve` in another process."""

    def __init__(self, folder, *arguments):
        self.env_file = folder / "env"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "onc_conformance", "serve", "--write-env", str(self.env_file), *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(suite.PACKAGE.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.line = self.process.stdout.readline()

    @property
    def env(self):
        return dict(line.split("=", 1) for line in self.env_file.read_text("utf-8").splitlines())

    def end(self, how=signal.SIGTERM):
        started = time.monotonic()
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, out, err, time.monotonic() - started
