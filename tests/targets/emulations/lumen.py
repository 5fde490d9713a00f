"""Lumen, the invented vendor of docs/targets.md, written from what its documentation there says."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
import zipfile
from html import escape

from lxml import etree
from tests.targets.emulations.base import Emulation, Said


class Lumen(Emulation):
    target = "lumen"
    word = "lumen's own word"

    def __init__(self, *defects, **more):
        super().__init__(*defects, **more)
        self.keys = set()

    def env(self):
        return {"LUMEN_URL": f"{self.url}/lumen", "LUMEN_WHO": "tester & co", "LUMEN_WORD": self.word}

    def number(self, chart):
        return f"F/{super().number(chart)}"

    def answer(self, asked):
        if asked.method != "POST":
            return None
        sent, call = etree.fromstring(asked.body), asked.path.removeprefix("/lumen")
        if call == "/gate":
            good = hashlib.sha256(self.word.encode()).hexdigest()
            if (sent.findtext("who"), sent.findtext("word")) != ("tester & co", good):
                return self.trouble("K1")
            self.keys.add(key := secrets.token_hex(12))
            return Said(f"<door><key>{key}</key></door>", "text/xml")
        if not self.trusted(sent[0].tag == "key" and sent[0].text in self.keys):
            return self.trouble("K1")
        return self.found(sent) if call == "/find" else self.folder(asked, call)

    def found(self, sent):
        family, _, given = (sent.findtext("name") or "").partition("^")
        day, month, year = (sent.findtext("born") or "..").split(".")
        found = self.find(family or "?", given, f"{year}-{month}-{day}")
        if len(found) != 1:
            return self.trouble("F2" if found else "F1")
        inner = f'<folders><folder id="{self.number(found[0])}"/></folders>'
        return Said(f"<answer><packed>{escape(inner, quote=False)}</packed></answer>", "text/xml")

    def folder(self, asked, call):
        chart = self.by_number(call.removeprefix("/folder/").replace("%2F", "/"))
        if chart is None:
            return self.trouble("F1")
        bounds = {"ge": "", "le": "", "eq": ""}
        bounds |= {value[:2]: value[2:] for name, value in asked.queries if name == "when"}
        if len(bounds) > 3:
            return self.trouble("Q1")
        try:
            window = self.window(bounds["eq"] or bounds["ge"], bounds["eq"] or bounds["le"])
        except ValueError:
            return self.trouble("Q1")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("readme.txt", "The record is in the other file.")
            archive.writestr("record.cda", self.document(chart, window))
        return Said(f"<box>{base64.b64encode(packed.getvalue()).decode()}</box>", "text/xml")

    @staticmethod
    def trouble(code):
        return Said(f'<trouble code="{code}">No.</trouble>', "text/xml")
