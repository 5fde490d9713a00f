"""Templates whose rules nobody could confirm: each entry accepted, refused once spoilt, and only warned about."""

from __future__ import annotations

import pytest

from onc_conformance.ccda import Document, templates
from onc_conformance.ccda.rulebook import rulebook
from onc_conformance.findings import Severity

CCDA = "2.16.840.1.113883.10.20."


def entry(name, template, attributes, inside):
    root, _, extension = template.partition(":")
    return Document(
        '<component xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:sdtc="urn:hl7-org:sdtc"><section><entry><{name} {attributes}>'
        f'<templateId root="{CCDA}{root}" extension="{extension}"/>{inside}</{name}>'
        "</entry></section></component>".encode()
    )


LOINC = 'codeSystem="2.16.840.1.113883.6.1"'
DONE = '<statusCode code="completed"/>'
SINCE = '<effectiveTime><low value="20200101"/></effectiveTime>'
CODED = '<value xsi:type="CD" code="1"/>'
MEMBER = f"<statusCode code='active'/>{SINCE}<performer><assignedEntity><id root='1.2'/></assignedEntity></performer>"
TEAM = f'<act><templateId root="{CCDA}22.4.500.1"/></act>'
EVENT = 'classCode="OBS" moodCode="EVN"'
# Template; element; its attributes; what makes it right; what to take away or change, and the rules that then break
UNCONFIRMED = [
    (
        "22.2.500:2019-07-01",
        "section",
        "",
        f'<code code="85847-2" {LOINC}/><title/><text/>',
        ("<title/>", ""),
        {"CareTeamsSection2019.title"},
    ),
    (
        "22.4.4:2022-06-01",
        "observation",
        EVENT,
        f"<id/><code/>{DONE}{SINCE}{CODED}",
        ("completed", "active"),
        {"4515-19112"},
    ),
    (
        "22.4.14:2022-06-01",
        "procedure",
        'classCode="PROC" moodCode="EVN"',
        f"<id/><code/>{DONE}",
        ("<id/>", ""),
        {"4515-7655"},
    ),
    (
        "22.4.60:2023-05-01",
        "act",
        'classCode="ACT" moodCode="EVN"',
        f"<id/><code/>{DONE}",
        ("completed", "active"),
        {"CoverageActivity2023.statusCode.@code"},
    ),
    (
        "22.4.61:2023-05-01",
        "act",
        'classCode="ACT" moodCode="EVN"',
        f"<id/><code/>{DONE}",
        ("<code/>", ""),
        {"PolicyActivity2023.code"},
    ),
    (
        "22.4.200:2016-06-01",
        "observation",
        EVENT,
        f'<code code="76689-9" {LOINC}/>{DONE}{CODED}',
        ('"CD"', '"ST"'),
        {"3250-32947"},
    ),
    (
        "22.4.500:2019-07-01",
        "organizer",
        'classCode="CLUSTER" moodCode="EVN"',
        f'<id/><code code="86744-0"/>{DONE}{SINCE}<component>{TEAM}</component>',
        (TEAM, ""),
        {"CareTeamOrganizer2019.component"},
    ),
    (
        "22.4.500.1:2019-07-01",
        "act",
        'classCode="PCPR" moodCode="EVN"',
        MEMBER,
        ("<id root='1.2'/>", ""),
        {"CareTeamMemberAct2019.performer.assignedEntity.id"},
    ),
    ("22.4.500.1:2022-06-01", "act", 'classCode="PCPR" moodCode="EVN"', MEMBER, ("<low", "<high"), {"4515-167"}),
    (
        "22.4.501:2022-06-01",
        "observation",
        EVENT,
        f'<code code="76690-7" {LOINC}/>{DONE}{SINCE}{CODED}',
        ("76690-7", "x"),
        {"4515-190"},
    ),
    (
        "34.3.45:2022-06-01",
        "observation",
        EVENT,
        f'<code code="76691-5" {LOINC}/>{DONE}{SINCE}{CODED}',
        (SINCE, ""),
        {"4515-33033", "4515-33034"},
    ),
]


@pytest.mark.parametrize(
    ("template", "name", "attributes", "inside", "change", "rules"),
    UNCONFIRMED,
    ids=lambda each: str(sorted(each) if isinstance(each, set) else each)[:24],
)
def test_an_unconfirmed_template_accepts_and_refuses_and_only_warns(template, name, attributes, inside, change, rules):
    assert not [each.rule for each in templates.check(entry(name, template, attributes, inside))]
    assert change[0] in inside
    objections = templates.check(entry(name, template, attributes, inside.replace(*change, 1)))
    assert {each.rule for each in objections} == rules
    assert {each.severity for each in objections} == {Severity.WARNING}
    assert all("unconfirmed" in each.message for each in objections)


def test_every_unconfirmed_template_is_proven():
    stated = {f"{each['root']}:{each['extension']}" for each in rulebook().templates if each.get("unconfirmed")}
    assert stated == {f"{CCDA}{each[0]}" for each in UNCONFIRMED}
