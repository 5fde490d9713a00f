"""One launch of an app, from the request for authorization to the token, and who was to be in context."""

from __future__ import annotations

from dataclasses import dataclass

from onc_conformance.access.apps import App
from onc_conformance.access.authorization import AuthorizationRequest
from onc_conformance.access.tokens import TokenAnswer
from onc_conformance.findings import NotTested
from onc_conformance.reply import Subject
from onc_conformance.smartwork.errands import Arrival, Driver

_STEPS = {"public": "AUT-PAT-4", "asymmetric": "AUT-PAT-30"}


@dataclass(frozen=True)
class Chosen:
    """The patient and, where there is one, the encounter that are to be in context."""

    subject: Subject | None
    """None where an app is launched for nobody in particular."""
    patient: str
    """The patient's id at the server."""
    encounter: str = ""

    @property
    def title(self) -> str:
        """Who it is."""
        return self.subject.record.title if self.subject else "nobody"

    @property
    def variables(self) -> dict[str, str]:
        """What {patient.NAME} stands for."""
        return self.subject.record.patient_variables() if self.subject else {}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A launch that is about to be made: everything is right about it, until somebody changes that."""

    title: str
    """As the evidence calls it."""
    app: App
    driver: Driver
    chosen: Chosen
    request: AuthorizationRequest
    opened: Arrival | None = None
    """How the EHR opened the app; None where it was launched by itself."""

    @property
    def step(self) -> str:
        """Where it is told first that such a launch does not come to its end."""
        return "AUT-PAT-1" if self.opened else _STEPS.get(self.app.kind, "AUT-PAT-3")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A launch that was made, however far it came."""

    plan: Plan
    arrival: Arrival | None
    """Where the browser came; None where the EHR did not open the app."""
    answer: TokenAnswer | None
    """What the token endpoint answered; None where there was no code to show it."""
    exchanges: tuple[str, ...]

    @property
    def title(self) -> str:
        """As the evidence calls it."""
        return self.plan.title

    @property
    def request(self) -> AuthorizationRequest:
        """What was asked for."""
        return self.plan.request

    @property
    def step(self) -> str:
        """Where it is told first that such a launch does not come to its end."""
        return self.plan.step

    def arrived(self) -> Arrival:
        """Where the browser came; raises NotTested where the EHR did not open the app."""
        if self.arrival is None:
            raise NotTested(f"{self.title}: the EHR did not open the app", "AUT-PAT-2")
        return self.arrival

    def answered(self) -> TokenAnswer:
        """What the token endpoint answered; raises NotTested where there was no code to show it."""
        arrival = self.arrived()
        if self.answer is None:
            raise NotTested(f"{self.title}: the app was given no code, {arrival.said}", self.step)
        return self.answer

    def given(self) -> TokenAnswer:
        """The answer with an access token; raises NotTested where there is none."""
        answer = self.answered()
        if not answer.given:
            raise NotTested(f"{self.title}: the app was given no access token, {answer.said}", self.step)
        return answer
