"""OfficeEMR: credentials inside the XML of each request, the C-CDA nested in the answer, an empty body for nothing."""

from __future__ import annotations

from lxml import etree
from tests.targets.emulations.base import NAMES, Emulation, Said, xml

ACCOUNT = "0d7a2c1e-55b1-4a7e-9c55-3f2f8f1f7a10"


class OfficeEmr(Emulation):
    target = "officeemr"

    def env(self):
        return {
            "ISALUS_URL": f"{self.url}/ws",
            "ISALUS_USER": "api&user",
            "ISALUS_PASS": "isalus <pass>",
            "ISALUS_ACCOUNT": ACCOUNT,
        }

    def number(self, chart):
        return f"key-{super().number(chart)}"

    def answer(self, asked):
        sent = etree.fromstring(asked.body)
        call = asked.path.removeprefix("/ws/")
        if not self.trusted(
            sent.findtext("security/key") == "api&user~isalus <pass>~cw_API",
            sent.findtext("security/account") == ACCOUNT,
        ):
            return self.error("The credentials are not valid.")
        if call == "ONC.FindPatient":
            month, day, year = (sent.findtext("dob") or "//").split("/")
            found = self.find(sent.findtext("last_name"), sent.findtext("first_name"), f"{year}-{month}-{day}")
            if not sent.findtext("last_name") or len(found) != 1:
                return self.error("The patient could not be found.")
            return self.response(f"<api_key>{self.number(found[0])}</api_key>")
        chart = self.by_number(sent.findtext("api_key"))
        if chart is None:
            return self.error("There is no patient with this api_key.")
        try:
            window = self.window(sent.findtext("start_date"), sent.findtext("end_date"), "%m/%d/%Y")
        except ValueError:
            return self.error("A date is not valid.")
        if call == "ONC.GetCCD":
            return self.response(xml(self.document(chart, window)))
        names = [each.text for each in sent.iterfind("section_list/section_name")]
        if not set(names) <= NAMES.keys():
            return self.error("A section is not known.")
        return self.response(xml(self.category(chart, [NAMES[name] for name in names], window)))

    def narrowed(self, chart, window):
        """The problem list takes no notice of dates."""
        if window is None:
            return chart
        return chart.only(fact for fact in chart.facts if fact.kind == "problems" or fact.stated(*window))

    @staticmethod
    def response(content):
        return Said(f"<response>{content}</response>", "text/xml")

    @classmethod
    def error(cls, text):
        return cls.response(f"<error>{text}</error>")
