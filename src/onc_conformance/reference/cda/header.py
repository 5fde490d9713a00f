"""The US Realm header: whose document it is, who wrote it, who keeps it; and the patient's own items one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onc_conformance.reference.cda import markup, participants
from onc_conformance.reference.cda.contacts import ORGANIZATION, name_parts, postal, telecom
from onc_conformance.reference.cda.markup import coded, el, fixed, point, stamp, template, words
from onc_conformance.reference.charts import Chart, Code, Fact, days_of

NPI = "2.16.840.1.113883.4.6"
PATIENTS = "2.16.840.1.113883.19.5.99999.2"
_UNSAID = {"UNK", "ASKU", "NASK", "NI", "OTH"}
_GENDERS = {"female": ("F", "Female"), "male": ("M", "Male"), "undifferentiated": ("UN", "Undifferentiated")}
_ADDRESS = (
    '<addr use="WP"><streetAddressLine>40 Cedar Hollow Road</streetAddressLine><city>Beaverton</city>'
    "<state>OR</state><postalCode>97006</postalCode><country>US</country></addr>"
)
_TELECOM = '<telecom use="WP" value="tel:+1-555-555-0140"/>'
OFFICE = _ADDRESS + _TELECOM
_ORGANIZATION_ID = '<id root="2.16.840.1.113883.19.5.99999.1"/>'
_ORGANIZATION_NUMBERS = (
    f'<id root="2.16.840.1.113883.4.2" extension="99-9999999"/><id root="{NPI}" extension="1999999976"/>'
)
_KEEPER = f"{_ORGANIZATION_ID}<name>{ORGANIZATION}</name>{_TELECOM}{_ADDRESS}"
_WRITER = f'<id root="{NPI}" extension="1999999984"/>'
_ASSIGNED_AUTHOR = (
    f"<assignedAuthor>{_WRITER}{fixed('code', 'nucc', '207Q00000X', 'Family Medicine Physician')}{OFFICE}"
    '<assignedPerson><name use="L"><prefix>Dr.</prefix><given>Imogen</given><family>Castellane</family></name>'
    f"</assignedPerson><representedOrganization>{_KEEPER}</representedOrganization></assignedAuthor>"
)
_ORGANIZATION_OF_ENTRY = (
    f"<representedOrganization>{_ORGANIZATION_ID}{_ORGANIZATION_NUMBERS}<name>{ORGANIZATION}</name>{_TELECOM}"
    "</representedOrganization>"
)
# an entry names the writer by the id the header explains, and repeats only what provenance demands
_AUTHOR_OF_ENTRY = f"<assignedAuthor>{_WRITER}{_ORGANIZATION_OF_ENTRY}</assignedAuthor>"
_CUSTODIAN = (
    "<custodian><assignedCustodian><representedCustodianOrganization>"
    f"{_KEEPER}</representedCustodianOrganization></assignedCustodian></custodian>"
)
_PROVENANCE = template("2.16.840.1.113883.10.20.22.4.119", "") + template(
    "2.16.840.1.113883.10.20.22.5.6", "2019-10-01"
)
_LANGUAGE = '<languageCode code="en-US"/>'

Person = Mapping[str, Any]


def entry_author(chart: Chart, fact: Fact) -> str:
    """Author Participation of one fact; its time is as charted, or the fact's, its visit's, the document's."""
    known: Person = fact.values.get("provenance") or {}
    if known.get("author") or known.get("organization"):
        return _author(chart, fact, str(known.get("author") or ""), str(known.get("organization") or ""), None)
    return f"<author>{_PROVENANCE}{point('time', _when_written(chart, fact))}{_AUTHOR_OF_ENTRY}</author>"


def named_author(chart: Chart, fact: Fact, name: str, npi: str) -> str:
    """The same of somebody whom the fact itself names as its author."""
    return _author(chart, fact, name, "", npi)


def _author(chart: Chart, fact: Fact, name: str, organization: str, npi: str | None) -> str:
    given, _, family = name.rpartition(" ")
    parts = name_parts({"given": given.split(), "family": family})
    person = el("assignedPerson", {}, el("name", {}, parts)) if name else ""
    known_by = el("id", {"root": NPI, "extension": npi} if npi else {"nullFlavor": "UNK"})
    theirs = el("representedOrganization", {}, words("name", organization), _TELECOM)
    who = el("assignedAuthor", {}, known_by, person, theirs if organization else _ORGANIZATION_OF_ENTRY)
    return f"<author>{_PROVENANCE}{point('time', _when_written(chart, fact))}{who}</author>"


def _when_written(chart: Chart, fact: Fact) -> str:
    known: Person = fact.values.get("provenance") or {}
    visit = (each.dates[0] for each in chart.of("encounters") if fact.encounter == each.encounter and each.dates)
    days = (text for text in (str(known.get("time", "")), *(fact.dates[:1] or visit)) if len(text) >= 10)
    return next(days, None) or written(chart)


def written(chart: Chart) -> str:
    """When documents of this chart were written (ISO): the evening of its latest charted day, or of birth."""
    days = chart.days()
    return f"{(days[-1] if days else days_of(chart.birth_date)[0]).isoformat()}T18:00:00-08:00"


def header(chart: Chart, *, templates: str, code: tuple[str, str], title: str, document_id: str, period: str) -> str:
    """Everything before the body; `period` is the effectiveTime of the care described."""
    time = written(chart)
    return "".join(
        (
            '<realmCode code="US"/>',
            '<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>',
            templates,
            el("id", {"root": document_id}),
            fixed("code", "loinc", *code),
            words("title", title),
            point("effectiveTime", time),
            fixed("confidentialityCode", "confidentiality", "N", "normal"),
            _LANGUAGE,
            record_target(chart),
            participants.authors(chart) or f"<author>{point('time', time)}{_ASSIGNED_AUTHOR}</author>",
            participants.informants(chart),
            participants.custodian(chart) or _CUSTODIAN,
            participants.recipients(chart),
            participants.authenticator(chart),
            participants.related_persons(chart),
            el("documentationOf", {}, el("serviceEvent", {"classCode": "PCPR"}, period)),
        )
    )


def record_target(chart: Chart, only: str | None = None) -> str:
    """The patient; with `only` (a demographic category) nothing but the id and that item."""
    person = chart.person
    if only:
        content = el("patient", {}, ITEMS[only](person))
        return el("recordTarget", {}, el("patientRole", {}, _patient_id(chart), content))
    patient = el("patient", {}, *(item(person) for item in _ORDER))
    return el(
        "recordTarget", {}, el("patientRole", {}, _patient_id(chart), _addresses(person), _telecoms(person), patient)
    )


def _patient_id(chart: Chart) -> str:
    return el("id", {"root": PATIENTS, "extension": chart.id})


def _names(person: Person) -> str:
    name = person["name"]
    former = (el("name", {}, name_parts(previous, "BR")) for previous in name.get("previous", []))
    return el("name", {"use": "L"}, name_parts(name)) + "".join(former)


def _gender(person: Person) -> str:
    if person["sex"] not in _GENDERS:
        return '<administrativeGenderCode nullFlavor="UNK"/>'
    return fixed("administrativeGenderCode", "gender", *_GENDERS[person["sex"]])


def _birth(person: Person) -> str:
    return el("birthTime", {"value": stamp(str(person["birth_date"]))})


def _death(person: Person) -> str:
    died = person.get("death_date")
    return f'<sdtc:deceasedInd value="true"/>{point("sdtc:deceasedTime", str(died))}' if died else ""


def _marital(person: Person) -> str:
    found = person.get("marital_status")
    return fixed("maritalStatusCode", "marital", found["code"], found.get("display", "")) if found else ""


def _races(person: Person) -> str:
    races = person.get("race") or [{"code": "UNK"}]
    return _culture("raceCode", races[0]) + "".join(_culture("sdtc:raceCode", race) for race in races[1:])


def _ethnicity(person: Person) -> str:
    found = person.get("ethnicity") or {"code": "UNK"}
    several = found if isinstance(found, list) else [found]
    further = (_culture("sdtc:ethnicGroupCode", item) for item in several[1:])
    return _culture("ethnicGroupCode", several[0]) + "".join(further)


def _culture(tag: str, found: Person) -> str:
    code = str(found["code"])
    system = found.get("system") or (markup.NULL if code in _UNSAID else "cdcrec")
    return coded(tag, Code(system, code, str(found.get("display", ""))))


def _language(person: Person) -> str:
    if not person.get("language"):
        return ""
    return el(
        "languageCommunication", {}, el("languageCode", {"code": person["language"]}), '<preferenceInd value="true"/>'
    )


def _addresses(person: Person) -> str:
    return "".join(postal(address) for address in person.get("address", [])) or (
        '<addr nullFlavor="UNK"><streetAddressLine nullFlavor="UNK"/><city nullFlavor="UNK"/><state nullFlavor="UNK"/>'
        '<postalCode nullFlavor="UNK"/></addr>'
    )


def _telecoms(person: Person) -> str:
    return "".join(telecom(one) for one in person.get("telecom", [])) or '<telecom nullFlavor="UNK"/>'


ITEMS: dict[str, Callable[[Person], str]] = {
    "patient_name": _names,
    "sex": _gender,
    "birth_date": _birth,
    "race": _races,
    "ethnicity": _ethnicity,
    "preferred_language": _language,
}
_ORDER = (_names, _gender, _birth, _death, _marital, _races, _ethnicity, _language)
