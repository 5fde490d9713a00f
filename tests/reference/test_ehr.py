import socket
import time
import tomllib

import pytest
from tests.reference.clients import PATIENTS, ehryourway, webchart

import requests
from onc_conformance.reference import ReferenceEHR, charts
from onc_conformance.reference.faults import CATALOGUE


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    path = tmp_path_factory.mktemp("patients") / "two.toml"
    path.write_text(PATIENTS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ehr(patients):
    with ReferenceEHR(patients=[patients]) as running:
        yield running


def test_its_variables_are_those_the_descriptions_use(ehr):
    assert ehr.env.keys() == {
        "WC_URL", "WC_USER", "WC_PASS", "WC_DOCS", "WC_TERMS", "WC_EXPIRED_SID",
        "DOCREF_BASE", "DOCREF_CLIENT_ID", "DOCREF_JWK_FILE", "DOCREF_DOCS", "DOCREF_TERMS", "DOCREF_EXPIRED_TOKEN",
        "EYW_BASE", "EYW_DOCS", "EYW_TERMS", "EYW_EXPIRED_TOKEN", "EYW_ID", "EYW_PASS", "EYW_ID_2", "EYW_PASS_2",
        "FHIR_BASE", "FHIR_DOCS", "FHIR_ENDPOINTS", "FHIR_TERMS", "FHIR_TOKEN",
        "FHIR_PATIENT", "FHIR_PATIENT_TOKEN", "FHIR_EXPIRED_TOKEN", "FHIR_CA_FILE",
        "SMART_PUBLIC_ID", "SMART_SYMMETRIC_ID", "SMART_SYMMETRIC_SECRET", "SMART_ASYMMETRIC_ID",
        "SMART_ASYMMETRIC_JWK_FILE", "SMART_PATIENT_USER", "SMART_PATIENT_PASSWORD",
        "SMART_CLINICIAN_USER", "SMART_CLINICIAN_PASSWORD", "SMART_LAUNCH_PAGE", "SMART_MANAGE_PAGE",
        "SMART_REGISTER_PAGE", "SMART_INTROSPECT_ID", "SMART_INTROSPECT_SECRET", "SMART_EXPIRED_TOKEN",
        "BULK_CLIENT_ID", "BULK_JWK_FILE", "BULK_GROUP", "BULK_OTHER_GROUP", "BULK_KEYS_CLIENT_ID", "BULK_KEYS_LISTEN",
        "BULK_KEYS_CERTIFICATE",
    }  # fmt: skip
    assert ehr.env["WC_URL"] == f"{ehr.url}/webchart.cgi"
    assert all(len(value) >= 16 for name, value in ehr.env.items() if name.split("_")[1] == "PASS")
    assert ehr.env["EYW_PASS"] != ehr.env["EYW_PASS_2"]


def test_its_patients_file_is_what_it_loaded_with_a_login_each(ehr, patients, tmp_path):
    path = tmp_path / "written.toml"
    path.write_text(ehr.patients_toml, encoding="utf-8")
    written = charts.load([path])
    assert [chart.facts for chart in written] == [chart.facts for chart in charts.load([patients])]
    tables = tomllib.loads(ehr.patients_toml)["patient"]
    assert [table["id"] for table in tables] == ["newman", "bates"]
    assert "vars" not in tables[0]
    assert tables[1]["vars"] == {"EYW_ID": "{env.EYW_ID_2}", "EYW_PASS": "{env.EYW_PASS_2}"}
    originals = tomllib.loads(PATIENTS)["patient"]
    assert [{name: value for name, value in table.items() if name != "vars"} for table in tables] == originals


def test_logins_of_a_file_are_replaced_by_those_that_work_here(tmp_path):
    path = tmp_path / "one.toml"
    person = (
        'id = "a"\nname = { family = "A \\"B\\" \\u007f", given = ["C"] }\nbirth_date = 1980-02-03\nsex = "unknown"\n'
    )
    path.write_text(f'[[patient]]\n{person}vars = {{ EYW_ID = "{{env.EYW_ID_3}}", ROOM = "7" }}\n', encoding="utf-8")
    with ReferenceEHR(patients=[path]) as ehr:
        table = tomllib.loads(ehr.patients_toml)["patient"][0]
    assert table["vars"] == {"ROOM": "7"}
    assert table["name"]["family"] == 'A "B" \x7f'
    assert table["birth_date"] == "1980-02-03"


def test_it_shows_the_bundled_patients_where_none_are_given():
    with ReferenceEHR() as ehr:
        assert len(webchart(ehr).rows("GET/db/patients/")) == len(charts.load(charts.bundled()))
        assert ehr.notes == []


def test_both_apis_speak_of_the_same_patient(ehr):
    client = webchart(ehr)
    text = client.category("Goals", pat_id=client.pat_id("Newman")).text
    assert "Need to gain more energy" in text
    assert "Need to gain more energy" in ehryourway(ehr).all_data().text


def test_it_is_gone_within_a_second_and_closing_twice_does_no_harm(patients):
    ehr = ReferenceEHR(patients=[patients])
    ehr.start()
    url = ehr.url
    assert requests.get(url + "/webchart-documentation", timeout=5).status_code == 200
    started = time.perf_counter()
    ehr.close()
    assert time.perf_counter() - started < 1
    ehr.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "/webchart-documentation", timeout=5)


def test_a_port_that_is_taken_is_an_error_of_the_system(patients):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ehr = ReferenceEHR(patients=[patients], port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            ehr.start()


def test_it_can_be_started_on_a_port_of_choice(patients):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ReferenceEHR(patients=[patients], port=port) as ehr:
        assert ehr.url == f"http://127.0.0.1:{port}"


def test_it_says_nothing_on_the_terminal(patients, capfd):
    with ReferenceEHR(patients=[patients]) as ehr:
        requests.get(ehr.env["WC_DOCS"], timeout=5)
        requests.get(ehr.url + "/nothing", timeout=5)
    assert capfd.readouterr() == ("", "")


def test_an_unknown_fault_is_refused_and_the_known_are_named(patients):
    with pytest.raises(ValueError, match=r"horoscope: no such fault; known are .*category-empty"):
        ReferenceEHR(patients=[patients], faults=["horoscope"])


def test_no_patients_are_refused():
    with pytest.raises(ValueError, match="no patients"):
        ReferenceEHR(patients=[])


def test_the_catalogue_is_complete_in_itself():
    ids = [fault.id for fault in CATALOGUE]
    assert len(ids) == len(set(ids))
    assert all(fault.title and fault.breaks and fault.criterion for fault in CATALOGUE)
