"""Documents spoilt at random: a spoiling is a list of (operation, where, how), so a failure can be made smaller."""

from __future__ import annotations

import copy

from lxml import etree

V3, SDTC = "urn:hl7-org:v3", "urn:hl7-org:sdtc"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
TOKENS = (
    b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>", b"&e;", b"&#0;", b"&#xD800;", b"]]>", b"<![CDATA[",
    b"<!--", b"--", b"<?xml version='1.1'?>", b"<?xml version='1.0' encoding='UTF-16'?>", b"\xef\xbb\xbf",
    b"\xff\xfe", b"\x00", b"<a:b/>", b"xmlns=''", b"xmlns:xsi='urn:x'", b"xsi:type='nonsense'", b"xsi:type='x:PQ'",
    b"'", b'"', b"<", b">", b"/>", b"</ClinicalDocument>", b"\xf0\x9f\x98\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\r",
    b"&lt;" * 50, b"<a>" * 300,
)  # fmt: skip
VALUES = (
    "", " ", "0", "-1", "1e999", "NaN", "99999999999999999999999", "20150230", "2015063123595999999999+9999", "201",
    "x" * 5000, "2.16.840.1.113883.6.96", "2.999", ".", "1.2.", "1" * 300, "CD", "PQ", "ST", "IVL_TS", "IVL_PQ", "TS",
    "ED", "INT", "BL", "x:y", "tel:+1", "mailto:", "UNK", "NI", "mg", "10*3/uL", "[" * 200, "{" * 200, "mg/" * 500,
    "(" * 2000, "m" + "2" * 400, "en-US-x-" * 60, "\u0661\u0662", "\u00b5g", "\U0001f600", "a\tb\nc", "%s%n{}",
    "'\"<&>", "2.16.840.1.113883.10.20.22.4.4", "2015-08-01", "59621000", "2093-3", "L", "#", "#x", "//", "1 or 1=1",
    "')]|//*[('",
)  # fmt: skip
NAMES = (
    "observation", "act", "entry", "section", "value", "code", "effectiveTime", "low", "high", "templateId", "id",
    "text", "td", "table", "author", "patient", "raceCode", "recordTarget", "component", "structuredBody",
    "nonXMLBody", "x", "translation",
)  # fmt: skip
ATTRIBUTES = (
    "code", "codeSystem", "value", "unit", "root", "extension", "nullFlavor", "classCode", "moodCode", "typeCode",
    "ID", "use", "negationInd", "inversionInd", "displayName", "mediaType", "representation", XSI_TYPE,
    f"{{{SDTC}}}valueSet",
)  # fmt: skip


def spoilt(base, other, spoiling):
    """The base with each operation of the spoiling done to it: first to its tree, then to its bytes."""
    root, donor = etree.fromstring(base), etree.fromstring(other)
    for operation, where, how in spoiling:
        if operation < len(OF_TREES):
            elements = [each for each in root.iter() if isinstance(each.tag, str)]
            OF_TREES[operation](elements[where % len(elements)], how, donor)
    data = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    for operation, where, how in spoiling:
        if operation >= len(OF_TREES):
            data = OF_BYTES[(operation - len(OF_TREES)) % len(OF_BYTES)](data, where % (len(data) + 1), how)
    return data


def _drop(element, _how, _donor):
    if element.getparent() is not None:
        element.getparent().remove(element)


def _repeat(element, how, _donor):
    parent = element.getparent()
    for _ in range(1 + how % 3 if parent is not None else 0):
        element.addnext(copy.deepcopy(element))


def _move(element, how, _donor):
    parent = element.getparent()
    if parent is not None:
        parent.insert(how % len(parent), element)


def _rename(element, how, _donor):
    spaces = (V3, V3, V3, SDTC, "urn:x", None)
    element.tag = etree.QName(spaces[how % len(spaces)], NAMES[how % len(NAMES)]).text


def _attribute(element, how, _donor):
    element.set(ATTRIBUTES[how % len(ATTRIBUTES)], VALUES[how // len(ATTRIBUTES) % len(VALUES)])


def _spoil_attribute(element, how, _donor):
    names = sorted(element.attrib)
    if names:
        element.set(names[how % len(names)], VALUES[how // len(names) % len(VALUES)])


def _drop_attribute(element, how, _donor):
    names = sorted(element.attrib)
    if names:
        del element.attrib[names[how % len(names)]]


def _text(element, how, _donor):
    element.text = VALUES[how % len(VALUES)]


def _empty(element, _how, _donor):
    for each in list(element):
        element.remove(each)


def _graft(element, how, donor):
    branches = [each for each in donor.iter() if isinstance(each.tag, str) and each.getparent() is not None]
    element.insert(how % (len(element) + 1), copy.deepcopy(branches[how % len(branches)]))


def _bury(element, how, _donor):
    for _ in range(how % 300):
        element = etree.SubElement(element, element.tag)


def _crowd(element, how, _donor):
    for number in range(how % 400):
        etree.SubElement(element, f"{{{V3}}}{NAMES[(how + number) % len(NAMES)]}")


OF_TREES = (
    _drop, _repeat, _move, _rename, _attribute, _spoil_attribute, _spoil_attribute, _drop_attribute, _text, _empty,
    _graft, _bury, _crowd,
)  # fmt: skip
OF_BYTES = (
    lambda data, at, how: data[:at] + TOKENS[how % len(TOKENS)] + data[at:],
    lambda data, at, how: data[:at] + data[at + 1 + how % 50 :],
    lambda data, at, how: data[:at] + bytes([how % 256]) + data[at + 1 :],
    lambda data, at, how: data[:at],
    lambda data, at, how: data[:at] + data[max(0, at - how % 2000) : at] * (1 + how % 4) + data[at:],
    lambda data, at, how: data.decode("utf-8", "replace").encode(("utf-16", "latin-1", "utf-32")[how % 3], "replace"),
)
OPERATIONS = len(OF_TREES) + len(OF_BYTES)
