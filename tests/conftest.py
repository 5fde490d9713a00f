"""What tests have to tell at the end of a session, whichever process of it ran them; and none of them is in a hurry."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

TOLD = "told at the end"
"""The property of a test whose value is told."""


def pytest_terminal_summary(terminalreporter):
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == TOLD and getattr(report, "when", "") == "call":
                    terminalreporter.write_line(value)
