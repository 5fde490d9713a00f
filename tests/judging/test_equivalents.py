"""A document that says the same otherwise shows no difference: other order, words, times, numbers, names, markup."""

from __future__ import annotations

import copy
import re
import uuid
from datetime import UTC, datetime

import pytest
from lxml import etree

from onc_conformance import judging, record, suite
from onc_conformance.findings import Severity
from onc_conformance.reference import ccd, charts

NS = "{urn:hl7-org:v3}"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ROOM = suite.schemas() / "patients"
FILES = {"alice": ROOM / "onc-uscdi-v3" / "alice-newman.toml", "vera": ROOM / "details.toml"}
WAYS = {}


def way(change):
    WAYS[change.__name__] = change
    return change


def each(root, *tags):
    return list(root.iter(*(NS + tag for tag in tags)))


def patient(root):
    return each(root, "patient")[0]


@way
def sections_in_another_order(root):
    body = each(root, "structuredBody")[0]
    body[:] = list(body)[::-1]


@way
def entries_in_another_order(root):
    for section in each(root, "section"):
        entries = section.findall(NS + "entry")
        for entry in entries:
            section.remove(entry)
        section.extend(entries[::-1])


@way
def each_result_in_an_organizer_of_its_own(root):
    for entry in each(root, "entry"):
        organizer = entry.find(NS + "organizer")
        if organizer is None or organizer.find(NS + "code").get("code") == "86744-0":
            continue
        for component in organizer.findall(NS + "component")[1:]:
            another = copy.deepcopy(entry)
            alone = another.find(NS + "organizer")
            for inner in alone.findall(NS + "component"):
                alone.remove(inner)
            organizer.remove(component)
            alone.append(component)
            entry.addnext(another)


@way
def points_in_time_as_intervals(root):
    for time in each(root, "effectiveTime"):
        if time.get("value") and time.getparent() is not root and not time.get(TYPE):
            value = time.attrib.pop("value")
            for bound in ("low", "high"):
                etree.SubElement(time, NS + bound).set("value", value)


@way
def moments_in_greenwich(root):
    for element in root.iter():
        if match := re.fullmatch(r"\d{12}(\d\d)?[+-]\d{4}", element.get("value") or ""):
            form = "%Y%m%d%H%M%S" if match[1] else "%Y%m%d%H%M"
            moment = datetime.strptime(match[0], form + "%z").astimezone(UTC)
            element.set("value", moment.strftime(form) + "+0000")


@way
def days_with_a_clock(root):
    for time in each(root, "effectiveTime", "low", "high"):
        if re.fullmatch(r"\d{8}", time.get("value") or ""):
            time.set("value", time.get("value") + "0000-0500")


@way
def ends_that_are_unknown(root):
    for time in each(root, "effectiveTime"):
        if time.find(NS + "low") is not None and time.find(NS + "high") is None:
            etree.SubElement(time, NS + "high").set("nullFlavor", "UNK")


@way
def codes_as_translations(root):
    holders = {NS + tag for tag in ("manufacturedMaterial", "procedure", "playingEntity")}
    for code in each(root, "code"):
        if code.getparent().tag in holders and code.get("code"):
            translation = etree.Element(NS + "translation")
            for name in ("code", "codeSystem", "codeSystemName", "displayName"):
                if code.get(name):
                    translation.set(name, code.attrib.pop(name))
            code.set("nullFlavor", "OTH")
            code.append(translation)


@way
def given_names_in_one_part(root):
    first, *others = patient(root).find(NS + "name").findall(NS + "given")
    first.text = " ".join(given.text for given in (first, *others))
    for given in others:
        given.getparent().remove(given)


@way
def what_she_is_called(root):
    last = patient(root).find(NS + "name").findall(NS + "given")[-1]
    called = etree.Element(NS + "given", qualifier="CL")
    called.text = "Allie"
    last.addnext(called)


@way
def the_family_name_first(root):
    name = patient(root).find(NS + "name")
    name.insert(0, name.find(NS + "family"))


@way
def the_previous_name_first(root):
    name, *previous = patient(root).findall(NS + "name")
    previous[-1].addnext(name)


@way
def names_in_capitals(root):
    for part in patient(root).iter(NS + "given", NS + "family"):
        part.text = part.text.upper()


def dialled(root, form):
    for telecom in each(root, "telecom"):
        digits = re.sub(r"\D", "", telecom.get("value") or "")[-10:]
        if (telecom.get("value") or "").startswith("tel:") and len(digits) == 10:
            telecom.set("value", form.format(digits[:3], digits[3:6], digits[6:]))


@way
def numbers_with_parentheses(root):
    dialled(root, "tel:+1({}){}-{}")


@way
def numbers_with_points(root):
    dialled(root, "tel:{}.{}.{}")


@way
def numbers_alone(root):
    dialled(root, "{}{}{}")


@way
def two_uses_of_an_address(root):
    for address in each(root, "addr"):
        if address.get("use"):
            address.set("use", f"{address.get('use')} PST")


@way
def another_code_for_home(root):
    for reached in each(root, "addr", "telecom"):
        if reached.get("use") == "HP":
            reached.set("use", "H")


@way
def longer_postal_codes(root):
    for code in each(root, "postalCode"):
        if code.text:
            code.text += "-1234"


@way
def street_lines_in_one(root):
    for address in each(root, "addr"):
        first, *others = address.findall(NS + "streetAddressLine")
        if others:
            first.text = ", ".join(line.text for line in (first, *others))
            for line in others:
                address.remove(line)


@way
def the_country_goes_without_saying(root):
    for country in each(root, "country"):
        country.getparent().remove(country)


@way
def a_region_behind_the_language(root):
    for language in each(root, "languageCommunication"):
        code = language.find(NS + "languageCode")
        code.set("code", code.get("code") + "-US")


@way
def other_identifiers(root):
    for made in each(root, "id"):
        if re.fullmatch(r"[0-9a-f-]{36}", made.get("root") or ""):
            made.set("root", str(uuid.uuid5(uuid.NAMESPACE_OID, made.get("root"))))


def narrated(root, make):
    for section in each(root, "section"):
        text = section.find(NS + "text")
        for table in text.findall(NS + "table"):
            rows = [row for row in table.iter(NS + "tr") if row.find(NS + "td") is not None]
            for block in make(rows):
                table.addprevious(block)
            text.remove(table)


def block(tag, row):
    made = etree.Element(NS + tag, {name: row.get(name) for name in ("ID",) if row.get(name)})
    for cell in row.findall(NS + "td"):
        words = etree.SubElement(made, NS + "content", {"ID": cell.get("ID")} if cell.get("ID") else {})
        words.text, words.tail = "".join(cell.itertext()), "; "
    return made


@way
def narrative_in_lists(root):
    def listed(rows):
        made = etree.Element(NS + "list")
        made.extend(block("item", row) for row in rows)
        return [made]

    narrated(root, listed)


@way
def narrative_in_paragraphs(root):
    narrated(root, lambda rows: [block("paragraph", row) for row in rows])


@way
def narrative_with_dates_as_they_are_spoken(root):
    for text in each(root, "text"):
        for element in text.iter():
            if element.text:
                element.text = re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\2/\3/\1", element.text)


@way
def units_as_people_spell_them(root):
    for value in each(root, "value"):
        if value.get("unit") == "mm[Hg]":
            value.set("unit", "mmHg")


@way
def numbers_with_a_point(root):
    for value in each(root, "value", "doseQuantity", "low", "high"):
        if re.fullmatch(r"\d{1,3}", value.get("value") or ""):
            value.set("value", value.get("value") + ".0")


@way
def ones_counted(root):
    for dose in each(root, "doseQuantity"):
        if dose.get("value") and not dose.get("unit"):
            dose.set("unit", "1")


@way
def hours_as_days(root):
    for period in each(root, "period"):
        if period.get("unit") == "h" and float(period.get("value")) % 24 == 0:
            period.set("value", f"{float(period.get('value')) / 24:g}")
            period.set("unit", "d")


@way
def a_section_more(root):
    section = '<section><code code="10157-6"/><text>Father: diabetes</text></section>'
    made = f'<component xmlns="urn:hl7-org:v3">{section}</component>'
    each(root, "structuredBody")[0].append(etree.fromstring(made))


@way
def comments_everywhere(root):
    for element in each(root, "section", "observation", "name", "given"):
        element.insert(0, etree.Comment(" here "))


@way
def white_space_around_words(root):
    for element in root.iter():
        if isinstance(element.tag, str) and len(element) == 0 and (element.text or "").strip():
            element.text = f"\n      {element.text}\n   "


@pytest.fixture(scope="module", params=FILES)
def known(request):
    people = record.load(FILES[request.param])
    chart = charts.load([FILES[request.param]])[0]
    return people, ccd.document(chart, document_id="1")


@pytest.mark.parametrize("name", WAYS)
def test_the_same_said_otherwise_shows_no_difference(known, name):
    (person, *others), data = known
    root = etree.fromstring(data)
    WAYS[name](root)
    doc = judging.read(etree.tostring(root))
    assert judging.whose(doc, person, others) == []
    assert [found for found in judging.content([doc], person, others) if found.severity is not Severity.INFO] == []


@pytest.mark.parametrize("encoding", ["utf-16", "us-ascii"])
def test_another_encoding_shows_no_difference(known, encoding):
    (person, *others), data = known
    doc = judging.read(etree.tostring(etree.fromstring(data), encoding=encoding, xml_declaration=True))
    assert judging.content([doc], person, others) == []
