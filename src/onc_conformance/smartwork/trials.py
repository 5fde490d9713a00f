"""Launches that are made to be spoiled: a code of its own for every wrong request, and one login for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from onc_conformance.access.parameters import AS_IT_IS, Change
from onc_conformance.access.tokens import TokenAnswer
from onc_conformance.findings import NotTested
from onc_conformance.smartwork.door import ALONE, Smart
from onc_conformance.smartwork.errands import Arrival, Driver
from onc_conformance.smartwork.launches import Launch, Plan
from onc_conformance.smartwork.registered import CAPABILITY
from onc_conformance.targets.smart import ClientKind, LoginName

KINDS: tuple[ClientKind, ...] = ("symmetric", "public", "asymmetric")
NEVER_ISSUED = "never-issued-0bb21f2a6e9c4d58b7f1"
"""Stands for a code, token, launch or id that no server gave out."""


@dataclass(frozen=True)
class Parked:
    """A code that waits to run out."""

    plan: Plan
    code: str
    since: float


class Trials:
    """What is tried at one target."""

    def __init__(self, smart: Smart) -> None:
        self.smart = smart
        self._drivers: dict[tuple[str, str], Driver] = {}
        self._parked: Parked | None = None
        self._fresh: dict[tuple[object, ...], Launch] = {}
        self._answers: dict[str, TokenAnswer] = {}

    def kinds(self) -> list[ClientKind]:
        """The kinds of apps that are described, set and not left out."""
        found: list[ClientKind] = []
        for kind in KINDS:
            unset = self.smart.client.target.unset("smart", "client", kind)
            told = getattr(self.smart.table.client, kind) is not None
            if told and not unset and CAPABILITY[kind] not in self.smart.table.without:
                found.append(kind)
        return found

    def kind(self) -> ClientKind:
        """The first of them; raises NotTested where there is none."""
        found = self.kinds()
        if not found:
            self.smart.app("symmetric")  # says what is missing
        return found[0]

    def plan(
        self,
        kind: ClientKind | None = None,
        *,
        who: LoginName = "patient",
        scope: str | None = None,
        resources: str | None = None,
        change: Change = AS_IT_IS,
    ) -> Plan:
        """A launch about to be made in a browser in which somebody is logged in already, once somebody was."""
        planned = self.smart.plan(
            kind or self.kind(), how=ALONE, who=who, scope=scope, resources=resources, change=change
        )
        driver = self._drivers.setdefault((who, planned.chosen.patient), planned.driver)
        return replace(planned, driver=driver)

    def tried(self, plan: Plan) -> Arrival:
        """Send the browser with a wrong request; whoever is asked says yes to everything."""
        self.park()
        return self.smart.authorize(plan)

    def code(self, kind: ClientKind | None = None, **facts: object) -> tuple[Plan, str]:
        """A right launch up to its code; raises NotTested where none comes."""
        self.park()
        plan = self.plan(kind, **facts)  # type: ignore[arg-type]
        return plan, self._coded(plan)

    def fresh(
        self,
        kind: ClientKind | None = None,
        *,
        name: str = "",
        resources: str | None = None,
        grant: Collection[str] | None = None,
    ) -> Launch:
        """A launch with its token that nothing but this use of `name` knows of; raises NotTested without a token."""
        self.park()
        key = (kind, name, resources, tuple(grant) if grant is not None else None)
        if not name or key not in self._fresh:
            plan = self.plan(kind, resources=resources)
            arrival = self.smart.authorize(plan, grant=grant)
            answer = self.smart.redeem(plan, arrival.code) if arrival.code else None
            made = (*arrival.exchanges, *([answer.exchange.id] if answer else []))
            self._fresh[key] = Launch(plan=plan, arrival=arrival, answer=answer, exchanges=made)
        launch = self._fresh[key]
        self.smart.note(launch.exchanges)
        launch.given()
        return launch

    def park(self) -> None:
        """Put a code aside, once, where the description says that codes run out while a run lasts."""
        if self._parked is None and self.smart.table.code_life_s is not None:
            plan = self.plan()
            self._parked = Parked(plan, self._coded(plan), time.monotonic())

    def expired(self) -> tuple[Plan, str]:
        """A code that has run out; raises NotTested where that takes longer than a run can wait."""
        life = self.smart.table.code_life_s
        self.park()
        if life is None or self._parked is None:
            raise NotTested("the description has no smart.code_life_s, so that no code runs out while the run lasts")
        left = self._parked.since + life + 0.5 - time.monotonic()
        if left > 0:
            self.smart.client.sleep(left)
        return self._parked.plan, self._parked.code

    def refreshable(self, kind: ClientKind | None = None, *, name: str = "") -> tuple[Launch, str]:
        """A launch of its own and its refresh token; raises NotTested where there is none."""
        self.smart.needs("permission-offline")
        launch = self.fresh(kind, name=name)
        token = launch.given().refresh_token
        if not token:
            raise NotTested(f"{launch.title}: no refresh token came with the access token", "AUT-PAT-20")
        return launch, self.smart.latest(token)

    def once(self, name: str, ask: Callable[[], TokenAnswer]) -> TokenAnswer:
        """The answer to a request that is made once, however often it is asked for."""
        if name not in self._answers:
            self._answers[name] = ask()
        self.smart.note([self._answers[name].exchange.id])
        return self._answers[name]

    def _coded(self, plan: Plan) -> str:
        arrival = self.smart.authorize(plan)
        if not arrival.code:
            raise NotTested(f"{plan.title}: the app was given no code, {arrival.said}", plan.step)
        return arrival.code


def given(answer: TokenAnswer, what: str, step: str) -> TokenAnswer:
    """The answer, which must bear an access token to go on with; raises NotTested otherwise."""
    if not answer.given:
        raise NotTested(f"{what}: no access token, {answer.said}", step)
    return answer
