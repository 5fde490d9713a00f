"""Which worker gets which scenario: all of one target go to one worker, in their order."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

MARK = "@"
"""Ends the target in the name of a test: `test_x[webchart@-functions]`."""


class ByTarget(LoadScopeScheduling):  # type: ignore[misc]
    """pytest-xdist's own grouping by mark writes into node ids, which pytest no longer lets it do."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[2].partition("[")[2].partition(MARK)[0]
