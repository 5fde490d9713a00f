"""Requests to the FHIR server with an access token or without one, outside any session."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

from onc_conformance.access import discovery
from onc_conformance.access.parameters import Parameters, in_query
from onc_conformance.access.walking import FORM
from onc_conformance.fhirwork.asking import Got
from onc_conformance.fhirwork.asking import read as read_resource
from onc_conformance.smartwork.registered import Registered
from onc_conformance.targets.assembly import Prepared


@dataclass
class Reader(Registered):
    """Reads with whatever token it is given, each request once."""

    _read: dict[tuple[str, str, str], Got] = field(default_factory=dict, init=False, kw_only=True)

    def read(
        self,
        token: str,
        path: str,
        parameters: Parameters = (),
        *,
        shown: str = "token",
        again: bool = False,
        form: bool = False,
    ) -> Got:
        """GET below the FHIR server's address with this access token, or with none; once, unless `again`.

        `shown` is what the evidence calls the credential. A search may be posted as a `form`.
        """
        method, path = ("POST", f"{path}/_search") if form else ("GET", path)
        url = path if discovery.is_address(path) else f"{self.base}/{path}"
        asked = in_query(url, parameters) if parameters else url
        if again or (token, method, asked) not in self._read:
            purpose = f"{'search' if form else 'read'} {path} " + (f"with the {shown}" if token else "without a token")
            headers: Parameters = (("Accept", "application/fhir+json"),)
            headers += (("Content-Type", FORM),) if form else ()
            headers += (("Authorization", f"Bearer {token}"),) if token else ()
            body = urlencode(parameters).encode() if form else b""
            prepared = Prepared(
                method, url if form else asked, headers, body, key=f"{purpose}\n{urlencode(parameters)}"
            )
            told = f"{method} {path}" + (f"?{urlencode(parameters)}" if parameters else "")
            page = self.client.hop(purpose, prepared)
            self._read[token, method, asked] = Got(told, page, *read_resource(page))
        got = self._read[token, method, asked]
        self.note([got.exchange.id])
        return got
