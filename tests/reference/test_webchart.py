import time
from urllib.parse import quote

import pytest
from lxml import etree
from tests.reference.clients import PATIENTS, WEBCHART_CATEGORIES, WebChartClient, encoded, webchart

import requests
from onc_conformance.reference import ReferenceEHR, Settings

V3 = "{urn:hl7-org:v3}"


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    path = tmp_path_factory.mktemp("patients") / "two.toml"
    path.write_text(PATIENTS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ehr(patients):
    with ReferenceEHR(patients=[patients]) as running:
        yield running


@pytest.fixture(scope="module")
def client(ehr):
    return webchart(ehr)


@pytest.fixture(scope="module")
def newman(client):
    return client.pat_id("Newman")


@pytest.fixture(scope="module")
def bates(client):
    return client.pat_id("Bates")


def texts(answer):
    return " ".join(etree.fromstring(answer.content).itertext())


def is_login_page(answer):
    return (
        answer.headers["X-lg_status"] == "failed" and "login_passwd" in answer.text and answer.headers["X-status_desc"]
    )


# --- sessions


@pytest.mark.parametrize("how", ["form", "query", "multipart"])
def test_every_encoding_of_a_login_opens_a_session(ehr, how):
    fields = {"login_user": ehr.env["WC_USER"], "login_passwd": ehr.env["WC_PASS"], "login_post_redirect": ""}
    if how == "query":
        answer = requests.get(ehr.env["WC_URL"], params=fields, timeout=5)
    elif how == "multipart":
        answer = requests.post(
            ehr.env["WC_URL"], files={name: (None, value) for name, value in fields.items()}, timeout=5
        )
    else:
        answer = requests.post(ehr.env["WC_URL"], data=fields, timeout=5)
    assert answer.headers["X-lg_status"] == "success"
    name, session = answer.headers["Set-Cookie"].split(";")[0].split("=")
    assert name.startswith("wc_miehr_")
    assert name.endswith("_session_id")
    assert len(session) == 36
    assert answer.headers["x-lg_session_id"] == session


def test_a_wrong_password_opens_none(ehr):
    client = WebChartClient(ehr.env["WC_URL"])
    answer = client.login(ehr.env["WC_USER"], "wrong")
    assert answer.status_code == 200
    assert is_login_page(answer)
    assert client.cookie == ""


@pytest.mark.parametrize("session", ["", "00000000-0000-0000-0000-000000000000"])
def test_without_a_good_session_a_login_page_is_the_answer(ehr, session):
    answer = requests.get(ehr.env["WC_URL"], params={"session_id": session, "f": "json"}, timeout=5)
    assert answer.status_code == 200
    assert is_login_page(answer)


def test_the_expired_session_handed_out_is_past_its_life(ehr):
    client = WebChartClient(ehr.env["WC_URL"])
    client.cookie = ehr.env["WC_EXPIRED_SID"]
    assert is_login_page(client.query("GET/db/patients/"))


def test_a_session_ends_when_it_idles(patients):
    with ReferenceEHR(patients=[patients], settings=Settings(session_life=0.2, refusal_status=401)) as ehr:
        client = webchart(ehr)
        assert client.query("GET/db/patients/").status_code == 200
        time.sleep(0.3)
        answer = client.query("GET/db/patients/")
        assert answer.status_code == 401
        assert is_login_page(answer)


@pytest.mark.parametrize("form", ["{name}={sid}", "{name}={sid}; path=/; HttpOnly", "other=1; {name}={sid}"])
def test_the_cookie_serves_instead_of_the_field_even_a_whole_set_cookie_line(ehr, client, form):
    cookie = form.format(name="wc_miehr_reference_session_id", sid=client.cookie)
    url = f"{ehr.env['WC_URL']}/{encoded('GET/db/patients/')}"
    answer = requests.get(url, headers={"Cookie": cookie}, timeout=5)
    assert len(answer.json()["db"]) == 2


# --- queries


def test_three_carriers_bring_the_same_answer_their_base64_verbatim(ehr, client):
    api = "GET/db/patients/LIKE_last_name=??????~~~~~~"
    assert {"+", "/"} <= set(encoded(api))
    posted = client.query(api)
    cookie = {"Cookie": f"wc_miehr_reference_session_id={client.cookie}"}
    url = ehr.env["WC_URL"]
    bare = requests.get(f"{url}/{encoded(api)}", headers=cookie, timeout=5)
    named = requests.get(f"{url}/json/{encoded(api)}", headers=cookie, timeout=5)
    assert posted.json() == bare.json() == named.json() == {"meta": {"status": "200"}, "db": []}
    assert posted.headers["Content-Type"] == "application/json"
    assert posted.headers["X-lg_status"] == "success"


@pytest.mark.parametrize(
    ("like", "pattern", "found"),
    [
        ("prefix", "new", 1),
        ("prefix", "ewman", 0),
        ("prefix", "%25ewman", 1),
        ("prefix", "%25ewma", 0),
        ("prefix", "N_wman", 1),
        ("prefix", "Bates %26", 1),
        ("contains", "ewma", 1),
        ("sql", "new", 0),
        ("sql", "newman", 1),
        ("sql", "new%25", 1),
    ],
)
def test_like_means_what_the_settings_say(patients, like, pattern, found):
    with ReferenceEHR(patients=[patients], settings=Settings(like=like)) as ehr:
        assert len(webchart(ehr).rows(f"GET/db/patients/LIKE_last_name={pattern}")) == found


def test_filters_are_joined_by_and(client):
    both = "GET/db/patients/LIKE_last_name=New%25&LIKE_birth_date={}%25&first_name=alice&sex=F&birth_date=1970-05-01"
    assert len(client.rows(both.format("1970-05-01"))) == 1
    assert client.rows(both.format("1970-05-02")) == []


@pytest.mark.parametrize(("query", "count"), [("", 2), ("/", 2), ("/null", 2), ("/limit=1", 1), ("/limit=0", 0)])
def test_a_table_comes_whole_unless_limited(client, query, count):
    assert len(client.rows(f"GET/db/patients{query}")) == count


def test_a_patient_row_has_its_72_columns_all_strings(client):
    row = client.rows("GET/db/patients/LIKE_last_name=Newman")[0]
    assert len(row) == 72
    assert all(isinstance(value, str) for value in row.values())
    told = {"last_name": "Newman", "first_name": "Alice", "middle_name": "Jones", "birth_date": "1970-05-01 00:00:00"}
    told |= {"sex": "F", "city": "Beaverton", "cell_phone": "+1-555-777-1234", "death_date": "0000-00-00 00:00:00"}
    assert told.items() <= row.items()
    assert row["value"] == row["last_name"]


def test_ids_are_numbers_that_do_not_follow_each_other(newman, bates):
    assert newman.isdecimal()
    assert bates.isdecimal()
    assert abs(int(newman) - int(bates)) > 1


@pytest.mark.parametrize(
    ("api", "status"),
    [
        ("GET/db/nonsense/", "404"),
        ("GET/db/patients/nonsense=1", "400"),
        ("GET/db/patients/last_name", "400"),
        ("GET/db/patients/limit=many", "400"),
        ("PUT/db/patients/last_name=X", "405"),
        ("GET/files/patients/", "400"),
    ],
)
def test_what_cannot_be_answered_has_a_status_and_no_rows(client, api, status):
    answer = client.query(api).json()
    assert answer["meta"]["status"] == status
    assert "db" not in answer


def test_a_string_that_is_not_base64_is_a_bad_request(client):
    assert client.post(f="json", apistring="GET/db/patients/").json()["meta"]["status"] == "400"


def test_encounters_are_listed_for_a_patient(client, newman):
    rows = client.rows(f"GET/db/encounters/pat_id={newman}")
    assert [row["start_date"] for row in rows] == ["2015-06-22 10:00:00", "2016-03-01 00:00:00"]
    assert [row["end_date"] for row in rows] == ["2015-06-22 11:00:00", "0000-00-00 00:00:00"]


# --- categories


@pytest.mark.parametrize(("name", "holder"), WEBCHART_CATEGORIES.items())
def test_each_category_is_a_bare_fragment(client, newman, name, holder):
    answer = client.category(name, pat_id=newman, sdate="", edate="")
    assert answer.headers["Content-Type"] == "text/xml"
    root = etree.fromstring(answer.content)
    if holder == "recordTarget":
        assert root.tag == f"{V3}recordTarget"
    else:
        assert root.tag == f"{V3}section"
        assert root.find(f"{V3}code").get("code") == holder


def test_a_category_can_be_wrapped_in_a_document(patients):
    with ReferenceEHR(patients=[patients], settings=Settings(wrapped=True)) as ehr:
        client = webchart(ehr)
        root = etree.fromstring(client.category("Problems", pat_id=client.pat_id("Newman")).content)
    assert root.tag == f"{V3}ClinicalDocument"
    assert [code.get("code") for code in root.iterfind(f".//{V3}section/{V3}code")] == ["11450-4"]


@pytest.mark.parametrize("name", ["Vital%20Signs", "Vital+Signs"])
def test_a_category_can_be_asked_for_in_the_address(ehr, client, newman, name):
    query = f"f=layout&module=StructDocAPI&name={name}&XML&pat_id={newman}&session_id={client.cookie}"
    answer = requests.get(f"{ehr.env['WC_URL']}?{query}", timeout=5)
    assert "Body height" in texts(answer)


@pytest.mark.parametrize(
    ("dates", "present", "absent"),
    [
        ({"sdate": "2015-06-22", "edate": "2015-06-22"}, ["hypothyroidism"], ["hypertension", "Fever"]),
        ({"SDATE": "2015-06-22"}, ["hypothyroidism", "Fever"], ["hypertension"]),
        ({"EDATE": "2015-06-22", "SDATE": ""}, ["hypertension", "hypothyroidism"], ["Fever"]),
        ({"sdate": "2015-06-22", "edate": "2015-06-23"}, ["hypothyroidism", "Fever"], ["hypertension"]),
        ({"sdate": "1999-01-01", "edate": "1999-12-31"}, [], ["hypertension", "hypothyroidism", "Fever"]),
    ],
)
def test_dates_narrow_a_category_both_ends_included(client, newman, dates, present, absent):
    said = texts(client.category("Problems", pat_id=newman, **dates))
    assert all(word in said for word in present)
    assert not any(word in said for word in absent)


def test_an_encounter_has_its_own_goals_and_those_of_no_encounter(client, newman):
    first, second = (row["encounter_id"] for row in client.rows(f"GET/db/encounters/pat_id={newman}"))
    assert "intermittent fever" in texts(client.category("Goals", encounter_id=first))
    assert "more energy" not in texts(client.category("Goals", encounter_id=first, pat_id=newman))
    assert "more energy" in texts(client.category("Goals", encounter_id=second))
    assert "Stay well" in texts(client.category("Goals", encounter_id=second))
    assert "intermittent fever" in texts(client.category("Goals", pat_id=newman))


def test_a_chart_without_encounters_shows_one_that_stands_for_all_of_it(tmp_path):
    path = tmp_path / "one.toml"
    person = 'id = "a"\nname = { family = "A", given = ["B"] }\nbirth_date = "1980-02-03"\nsex = "male"'
    path.write_text(f'[[patient]]\n{person}\n[[patient.goals]]\ntext = "Stay well"\n', encoding="utf-8")
    with ReferenceEHR(patients=[path]) as ehr:
        client = webchart(ehr)
        visits = client.rows("GET/db/encounters/")
        assert [row["start_date"] for row in visits] == ["1980-02-03 00:00:00"]
        assert "Stay well" in texts(client.category("Goals", encounter_id=visits[0]["encounter_id"]))


def test_an_encounter_of_another_chart_is_refused(client, newman, bates):
    visit = client.rows(f"GET/db/encounters/pat_id={bates}")[0]["encounter_id"]
    answer = client.category("Goals", pat_id=newman, encounter_id=visit)
    assert "You Currently Do Not Have Access to:" in answer.text


@pytest.mark.parametrize("which", [{"pat_id": "1"}, {"encounter_id": "1"}, {}])
def test_an_id_that_was_never_issued_brings_nobodys_data(client, newman, which):
    answer = client.category("Problems", **which)
    assert "You Currently Do Not Have Access to:" in answer.text
    assert answer.headers["X-lg_status"] == "success"
    assert "hypertension" not in answer.text
    assert client.category("Problems", pat_id=str(int(newman) + 1)).text == client.category("Goals", pat_id="1").text


def test_an_unknown_name_has_no_definition(client, newman):
    assert "Unable to find Print Definition" in client.category("Horoscope", pat_id=newman).text
    assert "Unable to find Print Definition" in client.post(f="print", pat_id=newman).text


@pytest.mark.parametrize(
    "dates", [{"sdate": "06/22/2015"}, {"edate": "20150622"}, {"sdate": "2015-06-23", "edate": "2015-06-22"}]
)
def test_dates_out_of_form_or_order_are_refused(client, newman, dates):
    answer = client.category("Problems", pat_id=newman, **dates)
    assert answer.status_code == 400
    assert "hypertension" not in answer.text


# --- documents


def test_there_is_a_document_for_each_charted_day(client, newman):
    rows = client.rows(f"GET/db/documents/storage_type=19&pat_id={newman}")
    days = ["2011-10-05", "2014-05-10", "2015-06-22", "2015-06-23", "2016-03-01"]
    assert [row["service_date"] for row in rows] == [f"{day} 00:00:00" for day in days]
    assert {row["doc_type"] for row in rows} == {"WCCDA"}


def test_the_vendors_document_query_finds_the_document_of_a_day(client, newman):
    api = f"GET/db/documents/storage_type=19&LIKE_service_date=2015-06-22%25&pat_id={newman}"
    answer = client.stream(client.rows(api)[0]["doc_id"])
    assert answer.headers["Content-Type"] == "text/xml"
    names = [code.get("displayName") for code in etree.fromstring(answer.content).iterfind(f".//{V3}value[@code]")]
    assert "Severe hypothyroidism" in names
    assert "Fever" not in names
    assert "more energy" not in texts(answer)


def test_a_streamed_document_can_be_narrowed(client, newman):
    doc_id = client.rows(f"GET/db/documents/pat_id={newman}")[-1]["doc_id"]
    said = texts(client.stream(doc_id, sdate="2015-06-23", edate="2015-06-23"))
    assert "acetaminophen" in said
    assert "ceftriaxone" not in said


def test_an_unknown_document_is_refused(client):
    assert "You Currently Do Not Have Access to:" in client.stream("1").text


# --- the vendor's programs


def test_the_vendors_category_program_runs(client):
    charts = {row["pat_id"]: row for row in client.rows("GET/db/patients/LIKE_last_name=Newman")}
    for pat_id, chart in charts.items():
        assert f"{chart['last_name']},{chart['first_name']},{chart['middle_name']}" == "Newman,Alice,Jones"
        for name in WEBCHART_CATEGORIES:
            answer = client.category(name, pat_id=pat_id, sdate="2015-01-01", edate="2016-12-31")
            assert etree.fromstring(answer.content).tag.startswith(V3)


def test_the_vendors_document_program_finds_nobody_and_nothing_where_there_is_none(client):
    assert client.rows(f"GET/db/patients/LIKE_last_name={quote('Larson')}") == []
    assert client.rows("GET/db/documents/storage_type=19&LIKE_service_date=2017-05-02%25&pat_id=1") == []
