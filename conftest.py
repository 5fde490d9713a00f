"""Loads the suite: its options and fixtures, and every room of step definitions."""

from onc_conformance.suite import step_modules

pytest_plugins = [
    "onc_conformance.sentences",
    "onc_conformance.report.gherkin",
    "onc_conformance.plugin",
    *step_modules(__package__),
]
