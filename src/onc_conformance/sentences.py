"""Which step definition a sentence means: pytest-bdd asks pytest for every fixture at every sentence, we once a run.

It can be asked once because every definition is a plugin's, and so the same for every scenario. And what a sentence
hands on to the next is let go of with its scenario: pytest would keep it, here documents by the hundred, to the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pytest
from pytest_bdd.compat import get_fixture_names, getfixturedefs, inject_fixture
from pytest_bdd.parser import Step
from pytest_bdd.steps import step_function_context_registry


class Definitions:
    """The step definitions of one session, in the order of pytest's fixtures."""

    def __init__(self) -> None:
        self._all: list[tuple[Any, Any]] = []
        self._found: dict[tuple[str, str], Sequence[Any]] = {}

    def __call__(self, step: Step, fixturemanager: Any, node: pytest.Item) -> Sequence[Any]:
        """The fixtures of those that can parse the sentence."""
        if not self._all:
            self._all = [
                (context, fixture)
                for name in get_fixture_names(fixturemanager)
                for fixture in getfixturedefs(fixturemanager, name, node) or ()
                if (context := step_function_context_registry.get(fixture.func)) is not None
            ]
        key = step.type, step.name
        if key not in self._found:
            self._found[key] = [
                fixture
                for context, fixture in self._all
                if context.type in {None, step.type} and context.parser.is_matching(step.name)
            ]
        return self._found[key]


def _injected(request: pytest.FixtureRequest, arg: str, value: object) -> None:
    inject_fixture(request, arg, value)
    manager: Any = request._fixturemanager  # noqa: SLF001 - where pytest-bdd puts it
    kept = getattr(manager, "_arg2node2fixturedefs", {}).get(arg, {})
    request.addfinalizer(lambda: kept.pop(request.node, None))


def pytest_configure(config: pytest.Config) -> None:
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    scenario = import_module("pytest_bdd.scenario")
    patch.setattr(scenario, "find_fixturedefs_for_step", Definitions())  # or it raises
    patch.setattr(scenario, "inject_fixture", _injected)
