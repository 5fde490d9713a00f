"""Tells each scenario to Allure the way it reads in its feature file.

allure-pytest sees one opaque function per scenario. These hooks give it the scenario's own title and place, and one
Allure step per Gherkin line, the lines never reached included. Without allure-pytest, or without a results folder,
they do nothing.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import allure
import pytest
from pytest_bdd.parser import Scenario, Step
from pytest_bdd.scenario import scenario_wrapper_template_registry

from onc_conformance import procedure
from onc_conformance.exchange import Exchange
from onc_conformance.findings import Finding, NotApplicable, NotTested
from onc_conformance.redaction import Secrets
from onc_conformance.report import shelf
from onc_conformance.report.evidence import came, extension
from onc_conformance.report.run import printable

_OPEN = pytest.StashKey[Any]()
_TOLD = pytest.StashKey[int]()
_LISTED = pytest.StashKey[set[str]]()
_SHOWN = pytest.StashKey[Counter[str]]()
FULL, CITED = 3, 20
"""Exchanges shown in full under one line of a scenario: of all it made, and of those that findings cite."""
_dynamic: Any = allure.dynamic  # untyped
_NOT_REACHED = pytest.skip.Exception("not reached")
_STEP_ID = re.compile(r"[A-Z]\d+-[A-Z0-9-]+")
_EXAMPLE = "_pytest_bdd_example"
_TYPES = {
    "xml": allure.attachment_type.XML,
    "json": allure.attachment_type.JSON,
    "html": allure.attachment_type.HTML,
    "txt": allure.attachment_type.TEXT,
}


def listening(config: pytest.Config) -> bool:
    """Whether Allure results are being written in this process."""
    return config.pluginmanager.hasplugin("allure_listener")


@pytest.hookimpl(trylast=True)  # once allure-pytest has its own logger
def pytest_configure(config: pytest.Config) -> None:
    if listening(config):
        config.add_cleanup(shelf.stand_in(Path(config.option.allure_report_dir)))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Title the test even when its setup skips or fails: such a test must not vanish from the report."""
    try:
        return (yield)
    finally:
        if listening(item.config):
            _title(item)


@pytest.hookimpl(tryfirst=True)
def pytest_bdd_before_step(request: pytest.FixtureRequest, step: Step) -> None:
    if listening(request.config):
        _tell(request.node, step)


@pytest.hookimpl(trylast=True)  # others attach to the step while it is open
def pytest_bdd_after_step(request: pytest.FixtureRequest) -> None:
    if listening(request.config):
        _close(request.node, None)


@pytest.hookimpl(trylast=True)  # others attach to the step while it is open
def pytest_bdd_step_error(request: pytest.FixtureRequest, exception: BaseException) -> None:
    if listening(request.config):
        _close(request.node, exception)


def pytest_bdd_step_func_lookup_error(request: pytest.FixtureRequest, step: Step, exception: BaseException) -> None:
    if listening(request.config):
        _tell(request.node, step)
        _close(request.node, exception)


def pytest_bdd_after_scenario(request: pytest.FixtureRequest, scenario: Scenario) -> None:
    if not listening(request.config):
        return
    if _OPEN in request.node.stash:  # pytest.skip() and Ctrl-C pass by pytest-bdd's own error hook
        _close(request.node, sys.exc_info()[1])
    for step in scenario.steps[request.node.stash.get(_TOLD, 0) :]:
        _tell(request.node, step)
        _close(request.node, _NOT_REACHED)


def attach_exchanges(
    item: pytest.Item, exchanges: Iterable[Exchange], secrets: Secrets, cited: Sequence[str] = ()
) -> None:
    """Show under the line that is running what its test has not shown yet; nothing without Allure.

    A few are shown in full, those least shown before, and those `cited` by a finding; the others are named, so that a
    line that asks for a thousand answers can still be read.
    """
    if not listening(item.config):
        return
    listed, shown = item.stash.setdefault(_LISTED, set()), item.session.stash.setdefault(_SHOWN, Counter())
    fresh = [exchange for exchange in exchanges if exchange.id not in listed or exchange.id in cited]
    rarest = sorted((exchange.id for exchange in fresh if exchange.id not in listed), key=shown.__getitem__)
    full = {*rarest[:FULL], *cited[:CITED]}
    shown.update(full)
    for exchange in fresh:
        if exchange.id in full:
            attach_exchange(item, exchange, secrets)
    lines = [
        f"{exchange.id} {secrets.mask_text(exchange.purpose)}, {came(exchange.status)}, sha256 {exchange.sha256}"
        for exchange in fresh
        if exchange.id not in full | listed
    ]
    if lines:
        name = f"{len(lines)} more exchanges, in evidence/"
        allure.attach(printable("\n".join(lines)), name, allure.attachment_type.TEXT)
    listed.update(exchange.id for exchange in fresh)


def attach_exchange(item: pytest.Item, exchange: Exchange, secrets: Secrets) -> None:
    """Promise the exchange under the line that is running: the curl line, and the answer's body if it is text."""
    allure_logger = item.config.pluginmanager.get_plugin("allure_listener").allure_logger  # type: ignore[union-attr]
    purpose = printable(secrets.mask_text(exchange.purpose))
    name = f"exchange {exchange.id}: {purpose}, {came(exchange.status)}"
    text = allure.attachment_type.TEXT
    allure_logger.attach_file(shelf.promise("request", exchange.id), "", name, text)
    form = extension(exchange)
    if exchange.response_body and form in _TYPES:
        allure_logger.attach_file(shelf.promise("answer", exchange.id), "", f"answer {exchange.id}", _TYPES[form], form)


def attach_findings(findings: Iterable[Finding], secrets: Secrets) -> None:
    """Show the findings, masked, one a line, under the step that is running; nothing if there are none."""
    text = "\n".join(secrets.mask_text(str(finding)) for finding in findings)
    if text:
        allure.attach(printable(text), "findings", allure.attachment_type.TEXT)


def _title(item: pytest.Item) -> None:
    function = getattr(item, "obj", None)
    template = scenario_wrapper_template_registry.get(function) if function else None
    if template is None:
        return
    parameters: Mapping[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    example = dict(parameters.get(_EXAMPLE) or {})
    scenario = template.render(example)
    target = parameters.get("target_id")
    _dynamic.title(f"{scenario.name} [{target}]" if target else scenario.name)
    _dynamic.feature(scenario.feature.name)
    tags = scenario.tags | scenario.feature.tags | (scenario.rule.tags if scenario.rule else set())
    steps = [known for tag in sorted(tags) if (known := procedure.load().steps.get(tag))]
    for name in sorted({f"ONC ({step.criterion[0]})({step.criterion[1:]})" for step in steps})[:1]:
        _dynamic.epic(name)
    if scenario.rule:
        _dynamic.story(scenario.rule.name)
    elif steps:
        _dynamic.story(f"{steps[0].paragraph} {steps[0].title}")
    for tag in sorted(tags):
        if _STEP_ID.fullmatch(tag):
            _dynamic.link(f"dossier.html#{tag}", link_type="tms", name=tag)
    described = [scenario.feature.description, scenario.rule.description if scenario.rule else "", scenario.description]
    _dynamic.description("\n\n".join(filter(None, described)))
    for name, value in example.items():
        _dynamic.parameter(name, value)


def _tell(node: pytest.Item, step: Step) -> None:
    context: Any = allure.step(printable(f"{step.keyword} {step.name}"))
    context.__enter__()
    node.stash[_OPEN] = context
    if step.datatable:
        rows = "\n".join(",".join(map(str, row)) for row in step.datatable.raw())
        allure.attach(rows, "data table", allure.attachment_type.CSV)
    if step.docstring:
        allure.attach(step.docstring, "doc string", allure.attachment_type.TEXT)


def _close(node: pytest.Item, exception: BaseException | None) -> None:
    context = node.stash[_OPEN]
    del node.stash[_OPEN]
    node.stash[_TOLD] = node.stash.get(_TOLD, 0) + 1
    if isinstance(exception, NotTested | NotApplicable):  # Allure would call them broken
        exception = pytest.skip.Exception(exception.reason)
    context.__exit__(type(exception) if exception else None, exception, exception.__traceback__ if exception else None)
