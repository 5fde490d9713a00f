"""Patients files read into records; what is wrong in one is named by file, line and key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from onc_conformance import moments
from onc_conformance.findings import UsageError
from onc_conformance.record import lines
from onc_conformance.record.codes import Code
from onc_conformance.record.facts import Fact, Name, Record
from onc_conformance.record.form import KINDS, CodeForm, FactForm, PatientForm, PatientsForm, PreviousNameForm

_OF_FACT = {"id", "code", "also", "text", "start", "end", "date", "encounter", "optional", "visual", "no_information"}


def load(path: Path) -> list[Record]:
    """The records of a TOML or YAML file. UsageError, one line with file, line and key, on the first thing wrong."""
    content, places = _read(Path(path))
    try:
        patients = PatientsForm.model_validate(content).patient
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(_complaint(path, places, first["loc"], _say(first))) from None
    seen: set[str] = set()
    for number, patient in enumerate(patients):
        if patient.id in seen:
            raise UsageError(_complaint(path, places, ("patient", number, "id"), f"{patient.id!r} is used twice"))
        seen.add(patient.id)
        _check_encounters(path, places, number, patient)
    return [_record(patient) for patient in patients]


def _read(path: Path) -> tuple[Any, dict[lines.Place, int]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() in {".yaml", ".yml"}:
            return yaml.safe_load(text), lines.of_yaml(text)
        return tomllib.loads(text), lines.of_toml(text)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read: {error.strerror}; expected a patients file in TOML or YAML"
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        raise UsageError(
            f"{path}: {' '.join(str(error).split())}; expected TOML or YAML with a list `patient`"
        ) from None


def _complaint(path: Path, places: dict[lines.Place, int], place: tuple[str | int, ...], sentence: str) -> str:
    line = lines.nearest(places, place)
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    return f"{path}{f', line {line}' if line else ''}: {key or 'patient'}: {sentence}"


def _say(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown key; remove it or correct its spelling"
    if error["type"] == "missing":
        return "is missing; it is required"
    message = str(error["msg"]).removeprefix("Value error, ")
    found = error.get("input")
    return f"{message}; found {found!r}" if isinstance(found, (str, int, float, bool)) else message


def _check_encounters(path: Path, places: dict[lines.Place, int], number: int, patient: PatientForm) -> None:
    known = {encounter.id for encounter in patient.encounters}
    for kind in KINDS:
        for index, fact in enumerate(getattr(patient, kind)):
            if fact.encounter and fact.encounter not in known:
                place = ("patient", number, kind, index, "encounter")
                raise UsageError(
                    _complaint(path, places, place, f"no encounter of this patient has id {fact.encounter!r}")
                )


def _record(patient: PatientForm) -> Record:
    return Record(
        id=patient.id,
        title=patient.title or f"{' '.join(patient.name.given)} {patient.name.family}",
        setting=patient.setting,
        vars=dict(patient.vars),
        name=_name(patient.name),
        previous_names=tuple(_name(name) for name in patient.name.previous),
        birth_date=patient.birth_date,
        sex=patient.sex,
        birth_sex=patient.birth_sex,
        race=tuple(_code(code) for code in patient.race),
        ethnicity=_code(patient.ethnicity) if patient.ethnicity else None,
        language=patient.language,
        marital_status=_code(patient.marital_status) if patient.marital_status else None,
        address=tuple(address.model_dump() for address in patient.address),
        telecom=tuple(telecom.model_dump() for telecom in patient.telecom),
        facts=tuple(
            _fact(kind, index, form) for kind in KINDS for index, form in enumerate(getattr(patient, kind), start=1)
        ),
    )


def _name(form: PreviousNameForm) -> Name:
    return Name(form.family, tuple(form.given), form.prefix, form.suffix)


def _code(form: CodeForm) -> Code:
    return Code(form.system, form.code, form.display)


def _fact(kind: str, number: int, form: FactForm) -> Fact:
    code = (form.code,) if form.code else ()
    return Fact(
        id=form.id or f"{kind}-{number}",
        kind=kind,
        codes=tuple(_code(each) for each in (*code, *form.also)),
        text=form.text,
        start=moments.iso(form.start or ""),
        end=moments.iso(form.end or ""),
        date=moments.iso(form.date or ""),
        encounter=form.encounter or (form.id if kind == "encounters" else None),
        optional=form.optional,
        visual=form.visual,
        no_information=form.no_information,
        attributes=form.model_dump(exclude=_OF_FACT, exclude_none=True),
    )
