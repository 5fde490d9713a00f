"""The page on which a clinician opens an app from within the EHR."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import redirect, request

from onc_conformance.reference.fhir.answers import host
from onc_conformance.reference.smart.apps import same_place
from onc_conformance.reference.smart.launches import Launch
from onc_conformance.reference.smart.pages import page

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug.wrappers import Response

    from onc_conformance.reference.smart.apps import App, Apps
    from onc_conformance.reference.smart.charted import Charted
    from onc_conformance.reference.smart.launches import Launches
    from onc_conformance.reference.smart.users import User, Users


OPENED: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "smart-launch-without-iss": lambda told: {"launch": told["launch"]},
    "smart-launch-of-another-server": lambda told: told | {"iss": f"{told['iss']}/elsewhere"},
    "smart-launch-without-value": lambda told: {"iss": told["iss"]},
}
"""What an opened app is told wrongly, by fault."""


class LaunchPage:
    """A form with app, patient and visit."""

    def __init__(self, apps: Apps, users: Users, charted: Charted, launches: Launches, faults: frozenset[str]) -> None:
        self._apps = apps
        self._users = users
        self._charted = charted
        self._launches = launches
        self._faults = faults

    def register(self, app: Flask, path: str) -> None:
        app.add_url_rule(f"{path}/launch", "smart launch", self.answer, methods=["GET", "POST"])

    def answer(self) -> Response:
        """The form, its login, or the app it leads to."""
        user, failed = self._users.here(), ""
        if request.method == "POST" and user is None:
            user = self._users.known(request.form.get("username", ""), request.form.get("password", ""))
            if user and not user.patient:
                return self._users.begin(user, redirect("launch", 303))
            user, failed = None, "No clinician has this name and password."
        if user is None or user.patient:
            return page(
                "login",
                403 if failed else 200,
                action="launch",
                request="",
                purpose="Clinicians open apps from here.",
                failed=failed,
            )
        if request.method == "POST":
            return self._opened(user)
        return self._form("")

    def _form(self, failed: str) -> Response:
        patients = self._charted.patients()
        return page(
            "launch",
            400 if failed else 200,
            failed=failed,
            apps=self._apps.launched(),
            patients=patients,
            visits=[(patient.title, self._charted.visits(patient.id)) for patient in patients],
        )

    def _opened(self, user: User) -> Response:
        form = request.form
        app = self._apps.get(form.get("client", ""))
        if app is None or not app.launch_url:
            return self._form("Choose an app.")
        address = form.get("app", "").strip() or app.launch_url
        if not same_place(address, app.launch_url):
            return self._form("The address is none that is registered for this app.")
        patient = self._charted.patient(form.get("patient", ""))
        if patient is None:
            return self._form("Choose a patient.")
        visit = form.get("encounter", "")
        if visit and visit not in {one.id for one in self._charted.visits(patient.id)}:
            return self._form("The visit is another patient's.")
        return self._sent(app, address, Launch(app, user, patient.id, visit))

    def _sent(self, app: App, address: str, launch: Launch) -> Response:
        told = {"iss": f"{host()}/fhir", "launch": self._launches.issue(launch)}
        for fault, change in OPENED.items():
            if fault in self._faults:
                told = change(told)
        return redirect(f"{address}{'&' if '?' in app.launch_url else '?'}{urlencode(told)}", 302)
