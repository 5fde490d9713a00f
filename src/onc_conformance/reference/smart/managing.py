"""The page on which people see which apps they allowed what, and take it back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import redirect, request

from onc_conformance.reference.smart import wording
from onc_conformance.reference.smart.pages import page

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

    from onc_conformance.reference.smart.approvals import Approval, Approvals
    from onc_conformance.reference.smart.users import User, Users


class ManagementPage:
    """A list of apps with a button each."""

    def __init__(self, users: Users, approvals: Approvals, faults: frozenset[str]) -> None:
        self._users = users
        self._approvals = approvals
        self._faults = faults

    def register(self, app: Flask, path: str) -> None:
        app.add_url_rule(f"{path}/manage", "smart manage", self.answer, methods=["GET", "POST"])

    def answer(self) -> Response:
        """The list, its login, or the list without an app."""
        user, failed = self._users.here(), ""
        if request.method == "POST" and "username" in request.form:
            user = self._users.known(request.form["username"], request.form.get("password", ""))
            if user:
                return self._users.begin(user, redirect("manage", 303))
            failed = "Name or password is wrong."
        if user is None:
            return page(
                "login",
                403 if failed else 200,
                action="manage",
                request="",
                purpose="Here you see which apps may read your records.",
                failed=failed,
            )
        if request.method == "POST" and "leave" in request.form:
            return self._users.end(redirect("manage", 303))
        if request.method == "POST":
            self._revoke(user, request.form.get("revoke", ""))
            return redirect("manage", 303)
        return page(
            "manage", user=user.title, apps=[(app, *_told(given)) for app, given in self._approvals.of(user).items()]
        )

    def _revoke(self, user: User, app_id: str) -> None:
        if "smart-revocation-ignored" in self._faults:
            return
        for app, given in self._approvals.of(user).items():
            if app.id == app_id:
                self._approvals.take_back(given)


def _told(given: list[Approval]) -> tuple[str, list[str]]:
    """When the app was last allowed something, and all it may."""
    since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(given[0].given))
    scopes = dict.fromkeys(scope for approval in given for scope in approval.scopes)
    return since, [wording.told(scope) for scope in scopes]
