import pytest
from lxml import etree
from tests.reference.clients import ehryourway, webchart

from onc_conformance.reference import ReferenceEHR, stored
from onc_conformance.reference.slices import NotReadableError, days, parse

V3 = "{urn:hl7-org:v3}"
SERVICE = "<documentationOf><serviceEvent><effectiveTime>{}</effectiveTime></serviceEvent></documentationOf>"
PERFORMED = """<performer><assignedEntity><assignedPerson>
<name><family>Davis</family></name></assignedPerson></assignedEntity></performer>"""
PROBLEM = """
<entry><act><effectiveTime><low value="{low}"/>{high}</effectiveTime><entryRelationship><observation>
<text><reference value="#{id}"/></text><value code="{id}"/></observation></entryRelationship></act></entry>
"""
PROBLEMS = f"""
<component><section><code code="11450-4"/><title>Problems</title><text><table><tbody>
<tr ID="old"><td>Old trouble</td></tr><tr ID="new"><td>New trouble</td></tr>
</tbody></table></text>
{PROBLEM.format(low="2010", high='<high value="2011"/>', id="old")}
{PROBLEM.format(low="20150622", high="", id="new")}
</section></component>
"""
RESULTS = """
<component><section><code code="30954-2"/><text>Results</text><entry><organizer>
<component><observation><code code="one"/><effectiveTime value="201506220930-0500"/></observation></component>
<component><observation><code code="two"/><effectiveTime value="20160301"/></observation></component>
</organizer></entry></section></component>
"""
MEDICATIONS = """
<component><section><code code="10160-0"/><text>Medications</text>
<entry><substanceAdministration><code code="first"/>
<effectiveTime xsi:type="PIVL_TS"><period value="8" unit="h"/></effectiveTime>
</substanceAdministration></entry>
<entry><substanceAdministration><code code="last"/></substanceAdministration></entry></section></component>
"""
VISITS = """
<component><section><code code="46240-8"/><text>Visits</text><entry><encounter><id root="1.2.3" extension="7"/>
<code displayName="Office visit"/><effectiveTime><low value="20150622"/><high value="20150623"/></effectiveTime>
</encounter></entry>
</section></component>
"""


def ccda(*, given="Jane", family="Doe", born="19800203", times="", written="20170101", body=PROBLEMS):
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<title>Zusammenf\xe4ssung</title><effectiveTime value="{written}"/>
<recordTarget><patientRole><addr><city>Ulm</city></addr><telecom use="MC" value="tel:+1-555"/><patient>
<name use="P"><given>Nick</given><family>Name</family></name>
<name use="L"><given>{given}</given><given>M</given><family>{family}</family></name>
<administrativeGenderCode code="F"/><birthTime value="{born}"/><raceCode code="2106-3" displayName="White"/>
</patient></patientRole></recordTarget>{times}
<component><structuredBody>{body}</structuredBody></component></ClinicalDocument>""".encode("iso-8859-1")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nested").mkdir()
    high = SERVICE.format('<low value="19800203"/><high value="20160301"/>')
    (tmp_path / "nested" / "newest.XML").write_bytes(
        ccda(
            times=high.replace("<effectiveTime>", f"{PERFORMED}<effectiveTime>"),
            body=PROBLEMS + RESULTS + MEDICATIONS + VISITS,
        )
    )
    visit = """<componentOf><encompassingEncounter><effectiveTime>
        <low value="20140510"/></effectiveTime></encompassingEncounter></componentOf>"""
    (tmp_path / "older.xml").write_bytes(
        ccda(given="JANE", family="DOE", times=SERVICE.format('<low value="1980"/>') + visit)
    )
    (tmp_path / "other.xml").write_bytes(ccda(given="John", born="1975", written="201201020304+0100"))
    (tmp_path / "undated.xml").write_bytes(ccda(family="Never", written=""))
    (tmp_path / "empty.xml").write_bytes(b"")
    (tmp_path / "page.xml").write_bytes(b"<html><body/></html>")
    (tmp_path / "broken.xml").write_bytes(ccda()[:-20])
    (tmp_path / "nobody.xml").write_bytes(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>')
    (tmp_path / "unborn.xml").write_bytes(ccda(born=""))
    (tmp_path / "notes.txt").write_bytes(b"not looked at")
    return tmp_path


@pytest.fixture
def ehr(folder):
    with ReferenceEHR(charts=folder) as running:
        yield running


@pytest.fixture
def client(ehr):
    return webchart(ehr)


def values(answer):
    return {one.get("code") for one in etree.fromstring(answer.content).iter(f"{V3}value", f"{V3}code")}


# --- reading


def test_documents_of_one_person_are_one_chart_by_service_date(folder):
    persons, _ = stored.load(folder)
    assert [person.key for person in persons] == ["doe-jane-1980", "doe-john-1975", "never-jane-1980"]
    told = [(one.key, one.service_date.isoformat()) for one in persons[0].documents]
    assert told == [("older.xml", "2014-05-10"), ("nested/newest.XML", "2016-03-01")]
    assert [one.service_date.isoformat() for one in persons[1].documents] == ["2012-01-02"]
    assert [one.service_date.isoformat() for one in persons[2].documents] == ["1980-02-03"]
    who = persons[0].demographics
    assert (who.family, who.given, who.birth_date, who.sex) == ("Doe", ("Jane", "M"), "1980-02-03", "female")
    assert (who.city, who.telecom, who.race) == ("Ulm", {"mobile": "+1-555"}, "White")


def test_what_is_no_ccda_is_skipped_with_a_note(folder):
    _, notes = stored.load(folder)
    said = {note.split(":")[0]: note.split(": ")[1] for note in notes}
    assert said.keys() == {f"skipped {name}.xml" for name in ("empty", "page", "broken", "nobody", "unborn")}
    assert said["skipped empty.xml"] == "it is empty"
    assert "html" in said["skipped page.xml"]
    assert "not XML" in said["skipped broken.xml"]
    assert "no patient" in said["skipped nobody.xml"]
    assert "birth date" in said["skipped unborn.xml"]


def test_keys_stay_unique_beside_those_taken(folder):
    persons, _ = stored.load(folder, taken=["doe-jane-1980"])
    assert persons[0].key == "doe-jane-1980-2"


def test_a_folder_that_is_none_or_holds_nothing_is_refused(tmp_path):
    with pytest.raises(NotADirectoryError, match="no such folder"):
        stored.load(tmp_path / "none")
    with pytest.raises(ValueError, match="no C-CDA"):
        ReferenceEHR(charts=tmp_path)


def test_entities_are_not_read():
    bomb = b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><d>&e;</d>'
    assert "root:" not in "".join(parse(bomb).itertext())
    laughs = b'<!DOCTYPE d [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "&%c;&%c;&%c;">' % (after, before, before, before)
        for before, after in zip(b"abcdefghijklmno", b"bcdefghijklmnop", strict=True)
    )
    try:
        root = parse(laughs + b"]><d>&p;</d>")
    except NotReadableError:
        return
    assert len("".join(root.itertext())) < 1000


def test_a_namespace_name_that_is_no_uri_is_still_xml():
    odd = b'<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:schemaLocation="urn:hl7-org:v3 CDA.xsd"/>'
    assert parse(odd).tag == f"{V3}ClinicalDocument"


@pytest.mark.parametrize(
    ("ts", "first", "last"),
    [
        ("2015", "2015-01-01", "2015-12-31"),
        ("201502", "2015-02-01", "2015-02-28"),
        ("20150622", "2015-06-22", "2015-06-22"),
        ("20150622233000.000-0500", "2015-06-22", "2015-06-22"),
    ],
)
def test_a_time_names_days(ts, first, last):
    assert [day.isoformat() for day in days(ts)] == [first, last]


@pytest.mark.parametrize("ts", [None, "", "UNK", "20151322", "20150230", "15"])
def test_what_is_no_time_names_none(ts):
    assert days(ts) is None


# --- answering


def test_without_dates_a_document_comes_byte_for_byte(folder, client):
    rows = client.rows(f"GET/db/documents/pat_id={client.pat_id('Doe')}")
    assert [row["service_date"] for row in rows] == ["2014-05-10 00:00:00", "2016-03-01 00:00:00"]
    assert client.stream(rows[0]["doc_id"]).content == (folder / "older.xml").read_bytes()
    assert client.stream(rows[1]["doc_id"]).content == (folder / "nested" / "newest.XML").read_bytes()


def test_dates_take_out_entries_wholly_outside_and_their_rows(client):
    rows = client.rows(f"GET/db/documents/pat_id={client.pat_id('Doe')}")
    narrowed = client.stream(rows[1]["doc_id"], sdate="2015-06-22", edate="2015-06-22")
    assert {"new", "one", "first", "last"} <= values(narrowed)
    assert not {"old", "two"} & values(narrowed)
    said = " ".join(etree.fromstring(narrowed.content).itertext())
    assert "New trouble" in said
    assert "Old trouble" not in said
    open_ended = client.stream(rows[1]["doc_id"], sdate="2016-01-01")
    assert {"new", "two"} <= values(open_ended)
    assert not {"old", "one"} & values(open_ended)


def test_a_section_that_is_emptied_says_so(client):
    answer = client.category("Problems", pat_id=client.pat_id("Doe"), edate="2009-12-31")
    section = etree.fromstring(answer.content)
    assert section.get("nullFlavor") == "NI"
    assert section.findall(f"{V3}entry") == []
    assert "".join(section.find(f"{V3}text").itertext()).split() == ["No", "information"]


def test_a_category_is_a_slice_of_the_newest_document(client):
    doe = client.pat_id("Doe")
    assert {"old", "new"} <= values(client.category("Problems", pat_id=doe))
    assert {"one", "two"} <= values(client.category("Results", pat_id=doe))
    goals = etree.fromstring(client.category("Goals", pat_id=doe).content)
    assert goals.get("nullFlavor") == "NI"
    race = etree.fromstring(client.category("Patient Race", pat_id=doe).content)
    assert [one.tag for one in race.find(f".//{V3}patient")] == [f"{V3}raceCode"]
    assert "Davis" in client.category("Care Team Members", pat_id=doe).text


def test_encounters_are_those_of_the_entries_or_one_for_each_document(client):
    doe, john = (row["pat_id"] for row in client.rows("GET/db/patients/LIKE_last_name=Doe"))
    visits = client.rows(f"GET/db/encounters/pat_id={doe}")
    assert [(row["start_date"], row["visit_type"]) for row in visits] == [("2015-06-22 00:00:00", "Office visit")]
    stand_ins = client.rows(f"GET/db/encounters/pat_id={john}")
    assert [row["start_date"] for row in stand_ins] == ["2012-01-02 00:00:00"]
    assert "new" in values(client.category("Problems", encounter_id=stand_ins[0]["encounter_id"]))
    assert client.category("Plan", encounter_id=visits[0]["encounter_id"]).status_code == 200


def test_the_other_api_answers_from_the_newest_document(ehr):
    client = ehryourway(ehr)
    document = client.all_data().json()["PatientUSCDIAsXml"]
    assert "Zusammenfässung" in document
    assert 'encoding="UTF-8"' in document
    assert "two" in document
    narrowed = client.category("Problems", FromDate="06/22/2015", ToDate="06/22/2015").json()["PatientUSCDIAsXml"]
    assert "New trouble" in narrowed
    assert "Old trouble" not in narrowed
    assert "30954-2" not in narrowed
    assert "raceCode" in client.category("Race").json()["PatientUSCDIAsXml"]


def test_its_patients_file_has_demographics_only(ehr):
    assert 'family = "Doe"' in ehr.patients_toml
    assert 'birth_date = "1980-02-03"' in ehr.patients_toml
    assert "patient.problems" not in ehr.patients_toml
    assert "{env.EYW_ID_2}" in ehr.patients_toml


def test_faults_of_content_change_nothing_here_and_it_says_so(folder):
    with ReferenceEHR(charts=folder, faults=["goals-missing"]) as ehr:
        assert any(note.startswith("goals-missing:") for note in ehr.notes)


@pytest.mark.parametrize(
    ("fault", "name", "gone"),
    [
        ("category-drops-fact", "Medications", {"last"}),
        ("category-leaks-entry", "Problems", set()),
        ("category-wrong-patient", "Results", {"one"}),
    ],
)
def test_faults_are_made_in_real_documents_too(folder, client, fault, name, gone):
    honest = client.category(name, pat_id=client.pat_id("Doe"))
    with ReferenceEHR(charts=folder, faults=[fault]) as ehr:
        faulty = webchart(ehr)
        answer = faulty.category(name, pat_id=faulty.pat_id("Doe"))
    assert answer.text != honest.text
    assert values(honest) - values(answer) >= gone


def test_an_empty_window_fault_leaves_no_entry(folder):
    with ReferenceEHR(charts=folder, faults=["document-window-empty"]) as ehr:
        client = webchart(ehr)
        doc_id = client.rows("GET/db/documents/limit=1")[0]["doc_id"]
        assert "<entry" in client.stream(doc_id).text
        assert "<entry" not in client.stream(doc_id, sdate="2000-01-01").text
