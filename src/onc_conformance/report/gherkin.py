"""Tells each scenario to Allure the way it reads in its feature file.

allure-pytest sees one opaque function per scenario. These hooks give it the scenario's own title and place, and one
Allure step per Gherkin line, the lines never reached included. Without allure-pytest, or without a results folder,
they do nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import allure
import pytest
from pytest_bdd.parser import Scenario, Step
from pytest_bdd.scenario import scenario_wrapper_template_registry

from onc_conformance import procedure
from onc_conformance.exchange import Exchange, curl
from onc_conformance.findings import Finding, NotApplicable, NotTested
from onc_conformance.redaction import Secrets
from onc_conformance.report.evidence import extension
from onc_conformance.report.run import printable

_OPEN = pytest.StashKey[Any]()
_TOLD = pytest.StashKey[int]()
_LISTED = pytest.StashKey[set[str]]()
_SHOWN = pytest.StashKey[set[str]]()
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
    item: pytest.Item, exchanges: Iterable[Exchange], secrets: Secrets, cited: Collection[str] = ()
) -> None:
    """Show under the step that is running what its test has not shown yet, masked; nothing without Allure.

    An exchange is shown in full by the first test of the session that rests on it, and wherever it is `cited` by a
    finding; elsewhere a line names it, so that an answer judged fifty times is not written fifty times.
    """
    if not listening(item.config):
        return
    listed, shown = item.stash.setdefault(_LISTED, set()), item.session.stash.setdefault(_SHOWN, set())
    lines = []
    for exchange in exchanges:
        if exchange.id not in shown or exchange.id in cited:
            attach_exchange(exchange, secrets)
        elif exchange.id not in listed:
            purpose = secrets.mask_text(exchange.purpose)
            lines.append(
                f"{exchange.id} {purpose}, {_came(exchange)}, sha256 {exchange.sha256}: evidence/{exchange.id}.json"
            )
        listed.add(exchange.id)
        shown.add(exchange.id)
    if lines:
        allure.attach(printable("\n".join(lines)), "exchanges shown before", allure.attachment_type.TEXT)


def attach_exchange(exchange: Exchange, secrets: Secrets) -> None:
    """Show the exchange, masked, under the step that is running: the curl line, and the answer's body if it is text."""
    name = f"exchange {exchange.id}: {secrets.mask_text(exchange.purpose)}, {_came(exchange)}"
    lines = [curl(exchange, secrets), "", secrets.mask_text(exchange.error or ""), _came(exchange)]
    lines += [f"{header}: {value}" for header, value in secrets.mask_headers(exchange.response_headers)]
    lines += ["", f"sha256 {exchange.sha256}", f"{exchange.seconds * 1000:.0f} ms"]
    allure.attach(printable("\n".join(lines)), printable(name), allure.attachment_type.TEXT)
    form = extension(exchange)
    if exchange.response_body and form in _TYPES:
        body = secrets.mask_bytes(exchange.response_body)
        allure.attach(body, f"answer {exchange.id}", _TYPES[form], form)


def attach_findings(findings: Iterable[Finding], secrets: Secrets) -> None:
    """Show the findings, masked, one a line, under the step that is running; nothing if there are none."""
    text = "\n".join(secrets.mask_text(str(finding)) for finding in findings)
    if text:
        allure.attach(printable(text), "findings", allure.attachment_type.TEXT)


def _came(exchange: Exchange) -> str:
    return f"status {exchange.status}" if exchange.status else "no answer"


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
            _dynamic.link(f"../dossier.html#{tag}", link_type="tms", name=tag)
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
