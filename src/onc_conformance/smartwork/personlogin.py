"""A login that somebody makes in a browser of their own, while the run waits at a loopback address."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from onc_conformance.access import person
from onc_conformance.access.listener import Listener
from onc_conformance.access.parameters import of_query, value_of
from onc_conformance.access.walking import Walk
from onc_conformance.findings import NotTested
from onc_conformance.smartwork.errands import Arrival, Errand

Ask = Callable[[Listener, str, str, str, float], str | None]
"""Asks somebody: where to listen, for which address, what to open, what to do, for how many seconds."""


def asked(listener: Listener, until: str, url: str, what: str, seconds: float) -> str | None:
    """Ask on the terminal."""
    return person.ask(listener, until, url, what, seconds=seconds)


@dataclass
class PersonLogin:
    """Somebody at a browser; whoever does not come once is not waited for again."""

    walk: Walk
    seconds: float
    absent: set[str]
    """Filled where nobody came, for all logins of a run."""
    who: str
    ask: Ask = asked
    _listener: Listener | None = None

    def address(self, registered: str) -> str:
        """The registered address with the port that is listened at: its own, or a free one where it names none."""
        if self._listener is None:
            self._listener = Listener(urlsplit(registered).port or 0).__enter__()
            weakref.finalize(self, self._listener.__exit__)
        return self._listener.at(registered)

    def do(self, errand: Errand) -> Arrival:
        """Try it without anybody first: what is refused at once keeps nobody busy.

        Raises NotTested where nobody comes back, or nothing can listen for them.
        """
        if errand.form is not None:
            raise NotTested("somebody can open an address, and not send a request by POST; let a browser do it")
        self.walk.until = (errand.until,)
        begun = len(self.walk.exchanges)
        stop = self.walk.go(errand.purpose, errand.url)
        made = tuple(each.id for each in self.walk.exchanges[begun:])
        if stop.arrived or stop.trouble or stop.page.status is None or stop.page.status >= 400:
            return Arrival(stop.page, stop.arrived, stop.trouble or stop.page.error, (), made)
        listener = self._listener
        if listener is None or not listener.hears(errand.until):
            raise NotTested(f"nothing can listen at {errand.until}; register http://127.0.0.1/… for a person's browser")
        if self.who in self.absent:
            raise NotTested(f"nobody came back as the {self.who} before, so nobody is waited for again")
        came = self.ask(listener, errand.until, errand.url, _wanted(errand, self.who), self.seconds)
        if came is None:
            self.absent.add(self.who)
            raise NotTested(f"nobody came back as the {self.who} within {self.seconds:g} s: {errand.purpose}")
        return Arrival(stop.page, came, None, (), made)


def _wanted(errand: Errand, who: str) -> str:
    """What somebody is asked to do."""
    words = [f"log in as the {who}"]
    if name := errand.names.get("pat_id"):
        words.append(f"choose the patient {name} where one is to be chosen")
    if visit := errand.names.get("encounter_id"):
        words.append(f"and the encounter {visit}")
    if errand.until == errand.names.get("launch_url"):
        words.append(f"launch the app {errand.names.get('client_id', '')} at {errand.until}")
        return f"{', '.join(words)} ({errand.purpose})"
    asked = value_of(of_query(errand.url), "scope").split()
    refused = [each for each in asked if errand.grant is not None and each not in errand.grant]
    if errand.deny:
        words.append("refuse what the app asks for")
    elif not refused:
        words.append("grant all that the app asks for")
    elif errand.grant is not None and len(refused) > len(errand.grant):
        words.append(f"grant these alone: {' '.join(errand.grant)}")
    else:
        words.append(f"grant all but these: {' '.join(refused)}")
    return f"{', '.join(words)} ({errand.purpose})"
