"""RXNT: token and signature in each body, an external id, a list of categories, failures in answers with status 200."""

from __future__ import annotations

from tests.targets.emulations.base import NAMES, Emulation, Said

from onc_conformance.reference.charts import days_of


class Rxnt(Emulation):
    target = "rxnt"
    bound = ("RXNT_PATIENT",)
    token, signature = "rxnt-token-1b9f0c", "rxnt-signature-77d2ae"

    def number(self, chart):
        return f"EXT-{super().number(chart)}"

    def env(self):
        ids = {f"RXNT_PATIENT{'' if at == 0 else f'_{at + 1}'}": self.number(c) for at, c in enumerate(self.charts)}
        return {"RXNT_URL": f"{self.url}/api", "RXNT_USER": "practice", "RXNT_PASS": "rxnt pass word", **ids}

    def answer(self, asked):
        sent, call = asked.json, asked.path.removeprefix("/api/")
        if call == "AuthenticateUser":
            if (sent.get("UserName"), sent.get("Password")) != ("practice", "rxnt pass word"):
                return self.failed("The user name or password is not valid.")
            return self.success(Token=self.token, Signature=self.signature)
        if not self.trusted(sent.get("Token") == self.token, sent.get("Signature") == self.signature):
            return self.failed("The token or signature is not valid.")
        chart = self.by_number(sent.get("ExternalReferencePatientId", ""))
        if chart is None:
            return self.failed("No patient has this ExternalReferencePatientId.")
        if call == "CheckPatientExists":
            return self.success(ExternalReferencePatientId=sent["ExternalReferencePatientId"])
        first, last = sent.get("FromDate"), sent.get("ToDate")
        if bool(first) != bool(last):
            return self.failed("FromDate and ToDate are both given or neither.")
        try:
            window = self.window(first, last, "%Y/%m/%d")
        except ValueError:
            return self.failed("Dates are written YYYY/MM/DD.")
        if call == "GetPatientClinicalData":
            return self.success(PatientCCDSXml=self.document(chart, window).decode())
        names = sent.get("Categories") or []
        if not set(names) <= NAMES.keys():
            return self.failed("A category is not known.")
        asked_for = [NAMES[name] for name in names]
        return self.success(PatientCCDSXml=self.category(chart, asked_for, window).decode())

    def narrowed(self, chart, window):
        """Documented with worked examples: what lasts overlaps the window, what has no end lasts."""
        if window is None:
            return chart
        return chart.only(fact for fact in chart.facts if fact.dates and overlaps(fact, *window))

    @staticmethod
    def success(**more):
        return Said({**more, "ValidationMessages": None, "ValidationStatus": "Success"})

    @staticmethod
    def failed(message):
        return Said({"PatientCCDSXml": None, "ValidationMessages": [message], "ValidationStatus": "Failed"})


def overlaps(fact, first, last):
    begin = days_of(fact.dates[0])[0]
    ended = fact.text("end") or fact.text("date")
    return begin <= last and (not ended or days_of(ended)[1] >= first)
