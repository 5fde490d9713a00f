"""The tables of WebChart's database that its API shows: every value a string, dates `YYYY-MM-DD HH:MM:SS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onc_conformance.reference.apistring import Row
    from onc_conformance.reference.people import Encounter, People, Person, StoredDocument

NO_DATE = "0000-00-00 00:00:00"
CDA = "19"
"""The storage type of clinical documents."""

_COLUMNS = """
    value active address1 address2 address3 alternate_phone attending_physician birth_date cell_phone cellco_id
    chart_online city country county create_date dea_number death_date death_indicator degree edit_date email
    emergency_contact emergency_phone employer_addr1 employer_addr2 employer_addr3 employer_city employer_country
    employer_county employer_name employer_state employer_uid employer_zipcode employment_status extern_id1
    family_physician fax_number first_name first_name_phn gurantor_id home_phone interface is_patient is_tmp
    last_name last_name_phn license_number marital_status middle_name nat_pro_id pager pat_id preferred_alert_method
    preferred_first_name race referring_physician revised_by revision_number sex signature_date sin spouse_birthdate
    spouse_name ssn state suffix tax_id_number title universal_id username work_phone zip_code
"""
PATIENT = tuple(_COLUMNS.split())
DOCUMENT = ("doc_id", "pat_id", "doc_type", "storage_type", "subject", "service_date", "create_date", "edit_date")
ENCOUNTER = ("encounter_id", "pat_id", "visit_type", "location", "start_date", "end_date")
_SEXES = {"female": "F", "male": "M"}


def moment(iso: str) -> str:
    """A date of any precision as the database keeps it: what is not known is the first it can be."""
    if not iso:
        return NO_DATE
    day, _, time = iso.partition("T")
    clock = (time[:8] if len(time) >= 8 and time[5] == ":" else f"{time[:5]}:00") if time else "00:00:00"
    return f"{(day + '-01-01')[:10]} {clock}"


def patients(people: People) -> Iterator[Row]:
    """One row for each chart."""
    for person in people.all:
        yield _patient(person, people.number_of(person))


def _patient(person: Person, pat_id: str) -> Row:
    who = person.demographics
    lines = (*who.line, "", "", "")
    known = {
        "value": who.family,
        "active": "1",
        "address1": lines[0],
        "address2": lines[1],
        "address3": lines[2],
        "birth_date": moment(who.birth_date),
        "cell_phone": who.telecom.get("mobile", ""),
        "city": who.city,
        "country": who.country,
        "email": who.telecom.get("email", ""),
        "first_name": who.given[0],
        "home_phone": who.telecom.get("home", ""),
        "is_patient": "1",
        "is_tmp": "0",
        "last_name": who.family,
        "marital_status": who.marital_status,
        "middle_name": " ".join(who.given[1:]),
        "pat_id": pat_id,
        "race": who.race,
        "revision_number": "1",
        "sex": _SEXES.get(who.sex, ""),
        "state": who.state,
        "suffix": who.suffix,
        "title": who.prefix,
        "work_phone": who.telecom.get("work", ""),
        "zip_code": who.postal_code,
    }
    undated = dict.fromkeys(("create_date", "death_date", "edit_date", "signature_date", "spouse_birthdate"), NO_DATE)
    return dict.fromkeys(PATIENT, "") | undated | known


def documents(people: People) -> Iterator[Row]:
    """One row for each stored document."""
    for doc_id, (person, document) in people.documents().items():
        yield _document(doc_id, document, people.number_of(person))


def _document(doc_id: str, document: StoredDocument, pat_id: str) -> Row:
    day = moment(document.service_date.isoformat())
    return {
        "doc_id": doc_id,
        "pat_id": pat_id,
        "doc_type": "WCCDA",
        "storage_type": CDA,
        "subject": document.title,
        "service_date": day,
        "create_date": day,
        "edit_date": NO_DATE,
    }


def encounters(people: People) -> Iterator[Row]:
    """One row for each visit."""
    for encounter_id, (person, visit) in people.visits().items():
        yield _encounter(encounter_id, visit, people.number_of(person))


def _encounter(encounter_id: str, visit: Encounter, pat_id: str) -> Row:
    return {
        "encounter_id": encounter_id,
        "pat_id": pat_id,
        "visit_type": visit.kind,
        "location": visit.location,
        "start_date": moment(visit.start),
        "end_date": moment(visit.end),
    }
