"""Patients files read into records; what is wrong in one is named by file, line and key."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from onc_conformance import moments
from onc_conformance.findings import UsageError
from onc_conformance.record import lines
from onc_conformance.record.classes import KINDS
from onc_conformance.record.codes import Code
from onc_conformance.record.facts import Fact, Name, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from onc_conformance.record.form import CodeForm, FactForm, PersonOfRecordForm, PreviousNameForm

_OF_FACT = {"id", "code", "also", "text", "start", "end", "date", "encounter", "optional", "visual", "no_information"}
_LARGEST = 64 * 1024 * 1024
_EXPECTED = {
    "model_type": "expected a table",
    "dict_type": "expected a table",
    "list_type": "expected a list",
    "string_type": "expected a text, in quotes",
}
"""What pydantic calls by the names of classes."""
_AT = re.compile(r"\s*\(at line (\d+), column \d+\)")


class _Loader(yaml.SafeLoader):
    """YAML in which a date is the text it was written as: an impossible one is refused with its line and key."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> list[Record]:
    """The records of a TOML or YAML file. UsageError, one line with file, line and key, on the first thing wrong."""
    content, places = _read(Path(path))
    return _records(Path(path), content, places)


def raw(path: Path) -> list[dict[str, Any]]:
    """The tables of a TOML or YAML file that `load` takes, as they are written."""
    load(path)
    return list(_read(Path(path))[0]["patient"])


def of_tables(tables: Sequence[Mapping[str, Any]], source: Path) -> list[Record]:
    """The records of tables in the form of a patients file, read out of `source`. UsageError on what is wrong."""
    return _records(source, {"patient": list(tables)}, {})


def _records(path: Path, content: Any, places: dict[lines.Place, int]) -> list[Record]:
    from pydantic import ValidationError

    from onc_conformance.record.form import patients_form

    try:
        patients = patients_form().model_validate(content).patient  # type: ignore[attr-defined]
    except ValidationError as error:
        found = error.errors(include_url=False)
        # a key misspelt is also a key missing: the first tells more
        first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
        raise UsageError(_complaint(path, places, _place(content, first["loc"]), _say(first))) from None
    records = [_record(patient) for patient in patients]
    for number, patient in enumerate(patients):
        _check_ids(path, places, number, patient)
        for earlier in records[:number]:
            if key := same(earlier, records[number]):
                said = f"{patient.id!r} is used twice" if key == "id" else _twins(earlier, records[number])
                raise UsageError(_complaint(path, places, ("patient", number, key), said))
    return records


def same(one: Record, other: Record) -> str | None:
    """Why two records cannot stand side by side: the key, `id` or `name`, by which they are one patient; or None."""
    if one.id == other.id:
        return "id"
    return "name" if one.identity == other.identity else None


def together(found: Iterable[tuple[Path, Sequence[Record]]]) -> list[Record]:
    """The records of several files as those of one exam. UsageError where two are one patient."""
    seen: list[tuple[Path, Record]] = []
    for path, records in found:
        for record in records:
            for at, earlier in seen:
                if key := same(earlier, record):
                    said = f"{record.id!r} is used twice" if key == "id" else _twins(earlier, record)
                    raise UsageError(f"{path}: {record.id}: {key}: {said} ({at})")
        seen += [(path, record) for record in records]
    return [record for _, record in seen]


def _twins(one: Record, other: Record) -> str:
    return (
        f"{other.id!r} has the family name, first name, birth date and sex of {one.id!r}; one identity is one patient"
    )


def regular(path: Path) -> None:
    """UsageError for what is there and is neither file nor folder, as a pipe nobody writes to."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError(f"{path}: is no file that can be read twice; expected a patients file, a C-CDA or a Bundle")


def _read(path: Path) -> tuple[Any, dict[lines.Place, int]]:
    try:
        regular(path)
        if path.is_file() and (size := path.stat().st_size) > _LARGEST:
            raise UsageError(f"{path}: has {size} bytes; a patients file has at most {_LARGEST}")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read: {error.strerror}; expected a patients file in TOML or YAML"
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    try:
        if path.suffix.lower() in {".yaml", ".yml"}:
            return _of_yaml(text)
        return tomllib.loads(text), lines.of_toml(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(_garbled(path, text, error)) from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{path}{line}: {error.problem}; expected YAML with a list `patient`") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())}; expected YAML with a list `patient`") from None
    except RecursionError:
        raise UsageError(f"{path}: is nested too deeply; expected TOML or YAML with a list `patient`") from None
    except ValueError as error:  # as a number of more digits than Python reads
        said = str(error).partition(";")[0]
        raise UsageError(f"{path}: {said}; expected TOML or YAML with a list `patient`") from None


def _of_yaml(text: str) -> tuple[Any, dict[lines.Place, int]]:
    """The content, once every key is known to be there once and aliases to be few."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        places = lines.of_yaml(node)
        return (None if node is None else loader.construct_document(node)), places
    finally:
        loader.dispose()


def _garbled(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    """What is wrong with a line of TOML, with the key that stands on it."""
    at = _AT.search(str(error))
    said = _AT.sub("", str(error))
    if not at:
        return f"{path}: {said}; expected TOML or YAML with a list `patient`"
    line = int(at[1])
    key = lines.key_of(text.splitlines()[line - 1]) if line <= len(text.splitlines()) else None
    return f"{path}, line {line}: {f'{key}: ' if key else ''}{said}; expected TOML or YAML with a list `patient`"


def _place(content: Any, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The path of an error in the file itself: pydantic also names the alternatives of a value it tried."""
    place: list[str | int] = []
    for number, part in enumerate(loc):
        last = number == len(loc) - 1
        known = (isinstance(content, dict) and part in content) or (
            isinstance(content, list) and isinstance(part, int) and part < len(content)
        )
        if known:
            content = content[part]
        if known or (last and isinstance(content, dict)):
            place.append(part)
    return tuple(place)


def _complaint(path: Path, places: dict[lines.Place, int], place: tuple[str | int, ...], sentence: str) -> str:
    line = lines.nearest(places, place)
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    return f"{path}{f', line {line}' if line else ''}: {key or 'patient'}: {sentence}"


def _say(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown key; remove it or correct its spelling"
    if error["type"] == "missing":
        return "is missing; it is required"
    found = error.get("input")
    message = _EXPECTED.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    if isinstance(found, float) and not math.isfinite(found):
        message = "expected a finite number"
    return f"{message}; found {found!r}" if isinstance(found, (str, int, float, bool)) else message


def _check_ids(path: Path, places: dict[lines.Place, int], number: int, patient: PersonOfRecordForm) -> None:
    """Encounters and assessments that facts name must be there."""
    encounters = {encounter.id for encounter in patient.encounters}  # type: ignore[attr-defined]
    for kind in KINDS:
        facts: list[FactForm] = getattr(patient, kind)
        own = {fact.id for fact in facts}
        for index, fact in enumerate(facts):
            part_of = getattr(fact, "part_of", None)
            for key, name, known, what in (
                ("encounter", fact.encounter, encounters, "no encounter of this patient"),
                ("part_of", part_of, own, f"no other fact among the {kind} of this patient"),
            ):
                if name and name not in known - ({fact.id} if key == "part_of" else set()):
                    place = ("patient", number, kind, index, key)
                    raise UsageError(_complaint(path, places, place, f"{what} has id {name!r}"))


def _record(patient: PersonOfRecordForm) -> Record:
    return Record(
        id=patient.id,
        title=patient.title or f"{' '.join(patient.name.given)} {patient.name.family}",
        setting=patient.setting,
        vars=dict(patient.vars),
        name=_name(patient.name),
        previous_names=tuple(_name(name) for name in patient.name.previous),
        birth_date=patient.birth_date,
        death_date=patient.death_date,
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
        attributes=form.model_dump(exclude=_OF_FACT if form.look_for else {*_OF_FACT, "look_for"}, exclude_none=True),
    )
