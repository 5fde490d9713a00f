"""Findings about the answers of an authorization server."""

from __future__ import annotations

from onc_conformance.exchange import Exchange
from onc_conformance.findings import Finding, Layer, Severity


def objection(
    exchange: Exchange | None,
    rule: str,
    message: str,
    *,
    severity: Severity = Severity.ERROR,
    path: str | None = None,
    expected: str | None = None,
    found: str | None = None,
    hint: str | None = None,
) -> Finding:
    """A finding about an answer, at its address unless a place within is named."""
    address = exchange.url.partition("?")[0] if exchange else None
    return Finding(
        layer=Layer.SECURITY,
        severity=severity,
        rule=rule,
        message=message,
        path=path or address,
        expected=expected,
        found=found,
        hint=hint,
        exchange=exchange.id if exchange else None,
    )


def uncertain(
    exchange: Exchange | None,
    rule: str,
    message: str,
    *,
    expected: str | None = None,
    found: str | None = None,
) -> Finding:
    """What a server should do otherwise, and need not."""
    return objection(exchange, rule, message, severity=Severity.WARNING, expected=expected, found=found)
