"""What the suite makes of apps that do not prove themselves to the token endpoint: by secret, assertion, at refresh."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from joserfc.jwk import ECKey, RSAKey

from onc_conformance.access import backend
from onc_conformance.access.apps import App
from onc_conformance.access.parameters import Change
from onc_conformance.denied import CLIENT, GRANT, Tried
from onc_conformance.examination import Examination
from onc_conformance.findings import NotApplicable, NotTested
from onc_conformance.smartwork.trials import NEVER_ISSUED
from onc_conformance.targets.smart import ClientKind


def unproven(exam: Examination, what: str) -> Tried:
    """A right code of an app that does not prove itself."""
    make, kind = PROOFS[what]
    smart = exam.smart
    right = smart.app(kind)
    plan, code = exam.trials.code(kind)
    app = replace(make(right), redirect=plan.app.redirect)
    return Tried(what, smart.redeem(plan, code, app=app), CLIENT)


def _another_key(app: App) -> App:
    key = ECKey.generate_key("P-384") if app.alg == "ES384" else RSAKey.generate_key(2048)
    named = {"kid": app.key.kid} if app.key and app.key.kid else {}
    return replace(app, key=type(key).import_key({**key.as_dict(private=True), **named}))


PROOFS: Mapping[str, tuple[Callable[[App], App], ClientKind]] = {
    "a wrong secret": (lambda app: replace(app, secret=f"{app.secret[::-1]}x"), "symmetric"),
    "no secret": (lambda app: replace(app, kind="public", secret=""), "symmetric"),
    "a client id that nobody registered": (lambda app: replace(app, id=NEVER_ISSUED), "symmetric"),
    "an assertion signed with another key": (_another_key, "asymmetric"),
    "no assertion": (lambda app: replace(app, kind="public", key=None), "asymmetric"),
}
"""What is wrong with the proof of an app, in the words of the features."""


ASSERTIONS: Mapping[str, backend.Wrong] = {
    f"that {wrong.name}": wrong for wrong in backend.SIGNATURES if wrong.must and "nobody registered" not in wrong.name
}
"""What is wrong with the assertion of an app, in the words of the features."""


def disbelieved(exam: Examination, what: str) -> Tried:
    """A right code of the app that signs, and one thing wrong with its assertion."""
    smart = exam.smart
    app = smart.app("asymmetric")
    plan, code = exam.trials.code("asymmetric")
    request = ASSERTIONS[what].change(_asserted(smart.endpoint("token_endpoint"), app))
    change = Change({"client_assertion": request.written()["client_assertion"]})
    return Tried(f"an assertion {what}", smart.redeem(plan, code, change=change), ASSERTIONS[what].errors)


def asserted_twice(exam: Examination) -> Tried:
    """An assertion of an app that was used before, for its refresh token."""
    smart = exam.smart
    app = smart.app("asymmetric")
    _, token = exam.trials.refreshable("asymmetric", name="assertion used twice")
    made = _asserted(smart.endpoint("token_endpoint"), app).written()
    change = Change({"client_assertion": made["client_assertion"]})
    first = smart.refresh(app, token, change=change, purpose="refresh with an assertion")
    if not first.given:
        raise NotTested(f"the assertion is not taken even once, {first.said}", "AUT-PAT-20")
    again = smart.refresh(
        app, first.refresh_token or token, change=change, purpose="refresh with the same assertion once more"
    )
    return Tried("an assertion that was used before", again, CLIENT)


def _asserted(endpoint: str, app: App) -> backend.Asked:
    """An assertion of the app before it is written down."""
    if app.key is None:
        raise NotApplicable("the description has no app that signs")
    credential = backend.Credential(client_id=app.id, key=app.key, algorithm=app.alg)
    return backend.asked(credential, audience=endpoint, scope="", now=int(time.time()), jti=str(uuid.uuid4()))


def refreshing(exam: Examination) -> Tried:
    """The refresh token of an app that keeps a secret, without it (RFC 6749, 6)."""
    trials = exam.trials
    right = trials.smart.app("symmetric")
    _, token = trials.refreshable("symmetric", name="refresh")
    answer = trials.smart.refresh(replace(right, kind="public", secret=""), token)
    return Tried("the refresh token of an app that does not prove itself", answer, (*CLIENT, *GRANT))
