"""The US Realm header: whose document it is, who wrote it, who keeps it; and the patient's own items one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onc_conformance.reference.cda import markup
from onc_conformance.reference.cda.markup import coded, el, fixed, point, stamp, template, words
from onc_conformance.reference.charts import Chart, Code, Fact, days_of

NPI = "2.16.840.1.113883.4.6"
PATIENTS = "2.16.840.1.113883.19.5.99999.2"
ORGANIZATION = "Cedar Hollow Family Health"
_UNSAID = {"UNK", "ASKU", "NASK", "NI", "OTH"}
_GENDERS = {"female": ("F", "Female"), "male": ("M", "Male"), "undifferentiated": ("UN", "Undifferentiated")}
_ADDRESS_USES = {"home": "HP", "work": "WP", "vacation": "HV", "bad": "BAD", "temporary": "TMP"}
_TELECOM_USES = {"home": "HP", "mobile": "MC", "work": "WP", "vacation": "HV"}
_ADDRESS = (
    '<addr use="WP"><streetAddressLine>40 Cedar Hollow Road</streetAddressLine><city>Beaverton</city>'
    "<state>OR</state><postalCode>97006</postalCode><country>US</country></addr>"
)
_TELECOM = '<telecom use="WP" value="tel:+1-555-555-0140"/>'
OFFICE = _ADDRESS + _TELECOM
_ORGANIZATION_ID = '<id root="2.16.840.1.113883.19.5.99999.1"/>'
_KEEPER = f"{_ORGANIZATION_ID}<name>{ORGANIZATION}</name>{_TELECOM}{_ADDRESS}"
_WRITER = f'<id root="{NPI}" extension="1999999984"/>'
_ASSIGNED_AUTHOR = (
    f"<assignedAuthor>{_WRITER}{fixed('code', 'nucc', '207Q00000X', 'Family Medicine Physician')}{OFFICE}"
    '<assignedPerson><name use="L"><prefix>Dr.</prefix><given>Imogen</given><family>Castellane</family></name>'
    f"</assignedPerson><representedOrganization>{_KEEPER}</representedOrganization></assignedAuthor>"
)
_ORGANIZATION_OF_ENTRY = (
    f"<representedOrganization>{_ORGANIZATION_ID}<name>{ORGANIZATION}</name>{_TELECOM}</representedOrganization>"
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
    """Author Participation of one fact; its time is the fact's own, or the document's where that names no day."""
    return f"<author>{_PROVENANCE}{point('time', _when_written(chart, fact))}{_AUTHOR_OF_ENTRY}</author>"


def named_author(chart: Chart, fact: Fact, name: str, npi: str) -> str:
    """The same of somebody whom the fact itself names as its author."""
    given, _, family = name.rpartition(" ")
    person = el("assignedPerson", {}, el("name", {}, name_parts({"given": given.split(), "family": family})))
    who = el("assignedAuthor", {}, el("id", {"root": NPI, "extension": npi}), person, _ORGANIZATION_OF_ENTRY)
    return f"<author>{_PROVENANCE}{point('time', _when_written(chart, fact))}{who}</author>"


def _when_written(chart: Chart, fact: Fact) -> str:
    return next((text for text in fact.dates[:1] if len(text) >= 10), None) or written(chart)


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
            f"<author>{point('time', time)}{_ASSIGNED_AUTHOR}</author>",
            _CUSTODIAN,
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


def name_parts(name: Person, qualifier: str | None = None) -> str:
    """Prefix, given, family, suffix, in the order a name is spoken."""
    marks = {"qualifier": qualifier} if qualifier else {}
    given = name.get("given") or []
    return "".join(
        (
            words("prefix", name["prefix"]) if name.get("prefix") else "",
            *(words("given", part, marks) for part in ([given] if isinstance(given, str) else given)),
            words("family", str(name.get("family", "")), marks),
            words("suffix", name["suffix"]) if name.get("suffix") else "",
        )
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
    return "".join(_address(address) for address in person.get("address", [])) or (
        '<addr nullFlavor="UNK"><streetAddressLine nullFlavor="UNK"/><city nullFlavor="UNK"/><state nullFlavor="UNK"/>'
        '<postalCode nullFlavor="UNK"/></addr>'
    )


def _address(address: Person) -> str:
    parts = [words("streetAddressLine", line) for line in address.get("line", [])]
    for tag, key in (("city", "city"), ("state", "state"), ("postalCode", "postal_code"), ("country", "country")):
        if address.get(key):
            parts.append(words(tag, str(address[key])))
        elif tag != "country":
            parts.append(el(tag, {"nullFlavor": "UNK"}))
    bounds = [point(tag, address[key]) for tag, key in (("low", "start"), ("high", "end")) if address.get(key)]
    if bounds:
        parts.append(el("useablePeriod", {"xsi:type": "IVL_TS"}, *bounds))
    return el("addr", {"use": _ADDRESS_USES.get(address.get("use", "home"), "HP")}, *parts)


def _telecoms(person: Person) -> str:
    return "".join(_telecom(telecom) for telecom in person.get("telecom", [])) or '<telecom nullFlavor="UNK"/>'


def _telecom(telecom: Person) -> str:
    scheme = "mailto:" if telecom.get("system") == "email" else "tel:"
    use = _TELECOM_USES.get(telecom.get("use", ""))
    return el("telecom", ({"use": use} if use else {}) | {"value": scheme + str(telecom["value"])})


ITEMS: dict[str, Callable[[Person], str]] = {
    "patient_name": _names,
    "sex": _gender,
    "birth_date": _birth,
    "race": _races,
    "ethnicity": _ethnicity,
    "preferred_language": _language,
}
_ORDER = (_names, _gender, _birth, _marital, _races, _ethnicity, _language)
