"""Files that are no record, by accident or on purpose: one line each, in little time, whatever they are called."""

import os

import pytest

from onc_conformance import record
from onc_conformance.findings import UsageError
from onc_conformance.judging import gold

GOOD = '[[patient]]\nid = "a"\nname = { family = "F", given = ["G"] }\nbirth_date = "1980-01-01"\nsex = "female"\n'
MEASURED = '[[patient.vital_signs]]\ncode = { system = "loinc", code = "8302-2" }\nvalue = '
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + number)}: &{chr(98 + number)} [{', '.join(['*' + chr(97 + number)] * 9)}]\n" for number in range(9)
)
BUNDLE = '{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", '


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", "x = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("a.toml", GOOD + MEASURED + "9" * 6000, "digits"),
        ("a.toml", GOOD + MEASURED + "nan", r"line 8: patient\[0\].vital_signs\[0\].value: expected a finite number"),
        ("a.toml", GOOD + MEASURED + "1e400", r"line 8: .*value: expected a finite number"),
        ("a.toml", GOOD + MEASURED + "true", r"line 8: .*value: expected a number, words, or a code; found True"),
        ("a.toml", GOOD + 'sex = "male"\n', "line 6: sex"),
        ("a.toml", GOOD + '[[patient.problems]]\ncode = "x"', r"line 7: .*problems\[0\].code: expected a table"),
        ("a.toml", GOOD + 'problems = "x"', r"line 6: patient\[0\].problems: expected a list; found 'x'"),
        ("a.toml", GOOD.replace("F", "\0"), "line 3: name"),
        ("a.toml", GOOD.encode("utf-16"), "is not UTF-8"),
        ("a.yaml", "{a: " * 3000 + "1" + "}" * 3000, "nested too deeply"),
        ("a.yaml", LAUGHS + "patient: *j\n", "line 1: holds too much"),
        ("a.yaml", "patient: &a [*a]\n", "line 1: is nested too deeply"),
        ("a.yaml", "patient:\n  - id: a\n    id: b\n", "line 3: id: the key is there twice"),
        ("a.yaml", "patient: !!python/object/apply:os.system ['true']\n", "line 1: could not determine"),
        ("a.yaml", "x", "patient: expected a table"),
        ("a.json", BUNDLE + '"birthDate": "1980", "birthDate": "1981"}}]}', r"line 1: a key is there twice.*birthDate"),
        ("a.json", BUNDLE + '"name": "x"}}]}', "not in the form of FHIR R4"),
        ("a.json", '{"resourceType": "Bundle", "x": NaN}', "NaN is no JSON number"),
        ("a.json", '{"entry": ' * 5000 + "1" + "}" * 5000, "nested too deeply"),
        ("a.json", '{"resourceType": "Bundle"}'.encode("utf-16"), "is not UTF-8"),
        ("a.json", '{"resourceType": "Bundle"} x', "line 1: this is no JSON"),
        ("a.xml", '<!DOCTYPE x [<!ENTITY a "aa">]><ClinicalDocument>&a;</ClinicalDocument>', "entities"),
        ("a.xml", '<ClinicalDocument xmlns="urn:hl7-org:v3">' + "<a>" * 9000 + "</a>" * 9000, "depth"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused_in_one_line(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=said) as caught:
        gold.load(path)
    assert str(caught.value).startswith(f"{path}")
    assert "\n" not in str(caught.value)


def test_a_pipe_and_a_device_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (tmp_path / "pipe.toml", "/dev/zero"):
        with pytest.raises(UsageError, match="is no file that can be read twice"):
            gold.expected([path])
    with pytest.raises(UsageError, match="is no file"):
        record.load(tmp_path / "pipe.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        gold.load(tmp_path)


def test_a_file_may_begin_with_a_byte_order_mark_and_say_a_thing_twice_by_an_alias(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert record.load(tmp_path / "a.toml")[0].id == "a"
    problem = "{code: &asthma {system: snomed, code: '195967001'}}, {code: *asthma, date: 2015}"
    (tmp_path / "a.yaml").write_text(
        "patient:\n  - id: a\n    name: {family: F, given: [G]}\n    birth_date: '1980-01-01'\n    sex: female\n"
        f"    problems: [{problem.replace('2015', repr('2015'))}]\n"
    )
    assert len(record.load(tmp_path / "a.yaml")[0].facts) == 2
