"""PPOffice: one address, credentials under the scheme Auth, a token for each patient, raw C-CDA."""

from __future__ import annotations

import base64

from lxml import etree
from tests.targets.emulations.base import NAMES, Emulation, Said


class PpOffice(Emulation):
    target = "ppoffice"

    def env(self):
        return {"PPO_URL": f"{self.url}/onc.php", "PPO_USER": "office", "PPO_PASS": "ppo pass word"}

    def number(self, chart):
        return f"pt{super().number(chart)}"

    def answer(self, asked):
        good = "Auth " + base64.b64encode(b"office:ppo pass word").decode()
        if not self.trusted(asked.headers.get("authorization") == good):
            return Said("<error>Not authorized</error>", "text/xml", 401)
        what = asked.query.get("request")
        if what == "getToken":
            sent = etree.fromstring(asked.body)
            born = sent.findtext("DOB") or ""
            found = self.find(
                sent.findtext("last") or "?", sent.findtext("first") or "", f"{born[:4]}-{born[4:6]}-{born[6:]}"
            )
            if len(found) != 1:
                return Said("<error>No Unique Pt</error>", "text/xml")
            return Said(f"<reply><token>{self.number(found[0])}</token></reply>", "text/xml")
        chart = self.by_number(asked.query.get("ptToken"))
        if chart is None:
            return Said("<error>Bad token</error>", "text/xml")
        try:
            window = self.window(asked.query.get("startDate"), asked.query.get("endDate"), "%Y%m%d")
        except ValueError:
            return Said("<error>Bad date</error>", "text/xml")
        if what == "getAll":
            return Said(self.document(chart, window), "text/xml")
        names = [each.text for each in etree.fromstring(asked.body).iterfind("category")]
        if what != "getCat" or not names or not set(names) <= NAMES.keys():
            return Said("<error>Bad request</error>", "text/xml")
        return Said(self.category(chart, [NAMES[name] for name in names], window), "text/xml")
