"""How examples are made up, and what tests have to tell at the end of a session, whichever process of it ran them."""

import signal

from hypothesis import HealthCheck, settings

# a busy machine is no failure, and the same tree is judged alike twice
settings.register_profile("gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gate")

# in the background Ctrl-C is ignored, and what tests start and interrupt would inherit that
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TOLD = "told at the end"
"""The property of a test whose value is told."""


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == TOLD and getattr(report, "when", "") == "call":
                    terminalreporter.write_line(value)
