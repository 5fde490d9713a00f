"""The reference EHR's documents: what of a chart they say, where, and what each fault changes."""

import re
from datetime import date

import pytest
from lxml import etree

from onc_conformance import suite
from onc_conformance.reference import ccd, charts

CDA = {"c": "urn:hl7-org:v3", "s": "urn:hl7-org:sdtc"}
CCD = "2.16.840.1.113883.10.20.22.1.2"
DAY = date(2017, 5, 2)
ALWAYS = {
    "48765-2", "10160-0", "11450-4", "47519-4", "30954-2", "29762-2", "8716-3", "11369-6", "46264-8", "46240-8",
    "51848-0", "18776-5", "61146-7", "75310-3", "85847-2",
}  # fmt: skip


@pytest.fixture(scope="module")
def patients():
    files = [*charts.bundled(), suite.schemas() / "patients" / "tiny.toml"]
    return {chart.id: chart for chart in charts.load(files)}


def written(chart, **options):
    return etree.fromstring(ccd.document(chart, document_id="d0", **options))


def codes(root):
    return [
        code for section in root.iterfind(".//c:section", CDA) for code in section.xpath("c:code/@code", namespaces=CDA)
    ]


def section(root, loinc):
    return root.xpath(f".//c:section[c:code/@code='{loinc}']", namespaces=CDA)[0]


def results(root):
    return root.xpath(".//c:section[c:code/@code='30954-2']//c:observation/c:effectiveTime/@value", namespaces=CDA)


def test_a_document_is_a_continuity_of_care_document_of_its_patient(patients):
    root = written(patients["zizka"])
    assert CCD in root.xpath("c:templateId/@root", namespaces=CDA)
    assert root.xpath("string(c:code/@code)", namespaces=CDA) == "34133-9"
    assert root.xpath("string(c:id/@root)", namespaces=CDA) == "d0"
    name = "c:recordTarget/c:patientRole/c:patient/c:name"
    assert root.xpath(f"string({name}/c:family)", namespaces=CDA) == "Žižka Muñoz"
    assert root.xpath(f"{name}/c:given/text()", namespaces=CDA) == ["Jiří", "Ángel"]


def test_only_later_editions_declare_the_header_of_their_guide(patients):
    extensions = {
        edition: set(written(patients["tiny-a"], edition=edition).xpath("c:templateId/@extension", namespaces=CDA))
        for edition in ("uscdi-v1", "uscdi-v3")
    }
    assert extensions == {"uscdi-v1": {"2015-08-01"}, "uscdi-v3": {"2015-08-01", "2023-05-01"}}


@pytest.mark.parametrize("patient", ["newman", "sparse", "infant", "long"])
def test_every_section_is_always_there_once(patients, patient):
    found = codes(written(patients[patient]))
    assert set(found) >= ALWAYS
    assert len(found) == len(set(found))


def test_every_code_of_a_chart_is_in_its_document(patients):
    for chart in patients.values():
        shown = set(written(chart).xpath("//@code"))
        stated = {fact.code().code for fact in chart.facts if fact.code()}
        assert stated <= shown, chart.id


def test_every_date_of_a_chart_is_in_its_document_with_its_precision_and_zone(patients):
    for chart in patients.values():
        shown = set(written(chart).xpath("//c:entry//@value", namespaces=CDA))
        dated = {text for fact in chart.facts for text in fact.dates if fact.text("kind") != "assessment"}
        assert {as_hl7(text) for text in dated} <= shown, chart.id


def as_hl7(text):
    day, zone = re.fullmatch(r"([\d-]{4,10}(?:T[\d:]+)?)(Z|[+-]\d\d:\d\d)?", text).groups()
    return re.sub(r"[-:T]", "", day) + (zone or "").replace(":", "").replace("Z", "+0000")


def test_every_row_of_a_table_has_an_entry_and_every_reference_a_row(patients):
    root = written(patients["newman"])
    rows = root.xpath("//c:tr/@ID", namespaces=CDA)
    references = {value[1:] for value in root.xpath("//c:reference/@value", namespaces=CDA)}
    assert len(rows) == len(set(rows))
    assert references <= set(rows)
    unreferenced = set(rows) - references
    assert unreferenced == {"assessment_plan-1", "assessment_plan-2", "discharge_instructions-1"}


def test_an_empty_class_says_so(patients):
    empty = section(written(patients["sparse"]), "10160-0")
    assert empty.get("nullFlavor") == "NI"
    assert "".join(empty.find("c:text", CDA).itertext()).strip() == "No information."
    assert empty.find("c:entry", CDA) is None


@pytest.mark.parametrize("loinc", ["48765-2", "10160-0", "11450-4"])
def test_none_known_is_a_negated_entry(patients, loinc):
    told = section(written(patients["bates"]), loinc)
    assert told.get("nullFlavor") is None
    assert told.xpath(".//@negationInd") == ["true"]
    assert "No known" in "".join(told.find("c:text", CDA).itertext())


def test_unknown_race_and_ethnicity_are_null_flavors(patients):
    patient = written(patients["bates"]).find(".//c:patient", CDA)
    assert patient.find("c:raceCode", CDA).attrib == {"nullFlavor": "UNK"}
    assert patient.find("c:ethnicGroupCode", CDA).attrib == {"nullFlavor": "UNK"}


def test_a_window_holds_the_facts_of_its_days_and_no_other(patients):
    chart = patients["newman"]
    root = written(chart, window=(DAY, DAY))
    inside = {fact.anchor for fact in chart.within(DAY, DAY).facts}
    assert set(root.xpath("//c:tr/@ID", namespaces=CDA)) - {"birth-sex", "sex"} == inside
    assert set(codes(root)) >= ALWAYS
    assert set(results(root)) == {"20170502"}


def test_entries_say_who_wrote_them_for_whom_and_when(patients):
    entries = written(patients["newman"]).findall(".//c:entry", CDA)
    unsigned = [
        entry for entry in entries if entry.find(".//c:author/c:assignedAuthor/c:representedOrganization", CDA) is None
    ]
    values = {value for entry in unsigned for value in entry.xpath("*/c:code/@code", namespaces=CDA)}
    assert values == {"76689-9", "46098-0"}
    assert all(entry.xpath(".//c:author/c:time/@value", namespaces=CDA) for entry in entries if entry not in unsigned)


def test_the_same_chart_makes_the_same_bytes(patients):
    assert ccd.document(patients["long"], document_id="d") == ccd.document(patients["long"], document_id="d")


def test_an_entry_has_the_same_id_in_every_document(patients):
    whole = set(written(patients["newman"]).xpath("//c:section//c:id/@root", namespaces=CDA))
    part = set(written(patients["newman"], window=(DAY, DAY)).xpath("//c:section//c:id/@root", namespaces=CDA))
    assert part <= whole


def test_the_device_identifier_is_a_product_instance(patients):
    instance = written(patients["tiny-a"]).xpath("//c:participantRole[c:playingDevice]/c:id", namespaces=CDA)
    assert [one.get("extension") for one in instance] == [patients["tiny-a"].of("udi")[0].text("udi")]


def test_markup_in_a_name_stays_text(patients):
    chart = patients["tiny-a"]
    name = {**chart.person["name"], "family": 'Fi<nch> & "Co"'}
    strange = charts.Chart(id="strange", person={**chart.person, "name": name}, facts=chart.facts)
    family = written(strange).find(".//c:patient/c:name/c:family", CDA)
    assert family.text == 'Fi<nch> & "Co"'


def test_a_chart_without_a_fact_is_still_a_document(patients):
    root = written(patients["newman"].only(()))
    assert set(codes(root)) >= ALWAYS
    assert root.xpath("string(c:effectiveTime/@value)", namespaces=CDA).startswith("19700314")


@pytest.mark.parametrize(
    ("category", "present"),
    [
        ("patient_name", {"name"}),
        ("sex", {"administrativeGenderCode"}),
        ("birth_date", {"birthTime"}),
        ("race", {"raceCode"}),
        ("ethnicity", {"ethnicGroupCode"}),
        ("preferred_language", {"languageCommunication"}),
    ],
)
def test_a_header_item_alone_is_that_item_alone(patients, category, present):
    root = etree.fromstring(ccd.fragment(patients["newman"], category))
    assert etree.QName(root).localname == "recordTarget"
    assert {etree.QName(item).localname for item in root.find(".//c:patient", CDA)} == present
    assert [etree.QName(item).localname for item in root.find("c:patientRole", CDA)] == ["id", "patient"]


@pytest.mark.parametrize(
    ("category", "loinc"),
    [
        ("laboratory_tests", "30954-2"),
        ("smoking_status", "29762-2"),
        ("assessment", "51848-0"),
        ("plan", "18776-5"),
        ("assessment_plan", "51847-2"),
        ("udi", "46264-8"),
        ("coverage", "48768-6"),
    ],
)
def test_a_category_alone_is_its_section(patients, category, loinc):
    root = etree.fromstring(ccd.fragment(patients["newman"], category))
    assert root.tag == "{urn:hl7-org:v3}section"
    assert root.xpath("string(c:code/@code)", namespaces=CDA) == loinc
    assert root.find("c:entry", CDA) is not None or category == "assessment"


def test_smoking_status_alone_says_nothing_of_sex(patients):
    alone = ccd.fragment(patients["newman"], "smoking_status")
    assert b"76689-9" not in alone
    assert b"72166-2" in alone


def test_notes_of_several_kinds_are_several_sections(patients):
    root = etree.fromstring(ccd.fragment(patients["newman"], "notes"))
    assert root.tag == "{urn:hl7-org:v3}structuredBody"
    assert codes(root) == ["11506-3", "18842-5"]


def test_an_encounter_narrows_a_category_to_its_facts(patients):
    root = etree.fromstring(ccd.fragment(patients["newman"], "goals", encounter="visit-2011-10-05"))
    assert root.xpath("//c:tr/@ID", namespaces=CDA) == ["goals-2"]


def test_a_wrapped_category_is_a_document_of_that_section_only(patients):
    root = etree.fromstring(ccd.fragment(patients["newman"], "problems", wrap=True))
    assert root.tag == "{urn:hl7-org:v3}ClinicalDocument"
    assert codes(root) == ["11450-4"]
    assert CCD not in root.xpath("c:templateId/@root", namespaces=CDA)


def test_categories_together_come_in_the_order_asked_and_once(patients):
    data = ccd.category_document(patients["newman"], ["goals", "laboratory_tests", "laboratory_results", "sex"])
    assert codes(etree.fromstring(data)) == ["61146-7", "30954-2"]


def test_an_unknown_category_is_refused_by_name(patients):
    with pytest.raises(ValueError, match="'horoscope' is no category"):
        ccd.fragment(patients["newman"], "horoscope")


@pytest.mark.parametrize(
    ("fault", "loinc"),
    [
        ("section-missing", "11450-4"),
        ("goals-missing", "61146-7"),
        ("health-concerns-missing", "75310-3"),
        ("plan-missing", "18776-5"),
    ],
)
def test_a_missing_section_is_missed_and_nothing_else(patients, fault, loinc):
    whole, faulty = written(patients["tiny-a"]), written(patients["tiny-a"], faults={fault})
    gone = section(whole, loinc).getparent()
    gone.getparent().remove(gone)
    assert codes(faulty) == codes(whole)
    assert [etree.tostring(one).strip() for one in faulty.iterfind(".//c:section", CDA)] == [
        etree.tostring(one).strip() for one in whole.iterfind(".//c:section", CDA)
    ]


def test_another_type_changes_template_code_and_title_only(patients):
    whole, faulty = written(patients["tiny-a"]), written(patients["tiny-a"], faults={"ccd-other-type"})
    assert faulty.xpath("string(c:code/@code)", namespaces=CDA) == "57133-1"
    roots = faulty.xpath("c:templateId/@root", namespaces=CDA)
    assert CCD not in roots
    assert "2.16.840.1.113883.10.20.22.1.14" in roots
    body = "c:component/c:structuredBody"
    assert etree.tostring(faulty.find(body, CDA)) == etree.tostring(whole.find(body, CDA))


def test_a_missing_udi_leaves_the_procedure(patients):
    root = written(patients["tiny-a"], faults={"udi-missing"})
    equipment = section(root, "46264-8")
    assert equipment.find(".//c:procedure", CDA) is not None
    assert equipment.find(".//c:participant", CDA) is None
    assert patients["tiny-a"].of("udi")[0].text("udi") not in etree.tostring(root, encoding="unicode")


def test_a_dropped_fact_is_the_last_result_in_table_and_entry(patients):
    whole, faulty = written(patients["tiny-a"]), written(patients["tiny-a"], faults={"fact-dropped"})
    assert results(faulty) == results(whole)[:-1]
    assert len(faulty.findall(".//c:tr", CDA)) == len(whole.findall(".//c:tr", CDA)) - 1


def test_shifted_results_are_a_day_late_and_nothing_else_is(patients):
    chart = patients["tiny-a"]
    whole, faulty = written(chart), written(chart, faults={"date-shifted"})
    assert results(whole) == ["20160901", "20170214", "20180410"]
    assert results(faulty) == ["20160902", "20170215", "20180411"]
    vitals = "//c:section[c:code/@code='8716-3']//@value"
    assert faulty.xpath(vitals, namespaces=CDA) == whole.xpath(vitals, namespaces=CDA)


def test_faults_of_others_change_nothing(patients):
    assert ccd.document(patients["tiny-a"], document_id="d", faults={"stale-token"}) == ccd.document(
        patients["tiny-a"], document_id="d"
    )
