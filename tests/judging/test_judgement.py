"""Every layer over one document."""

from __future__ import annotations

from tests.judging.people import WINDOW, errors

from onc_conformance import judging, record, uscdi
from onc_conformance.findings import Layer
from onc_conformance.reference import ccd, charts


def test_a_judgement_has_all_its_keys(people):
    data = ccd.document(people.charts()[0], document_id="1")
    judgement = judging.judge(data, "uscdi-v3", people.ann, path="a.xml")
    told = judgement.as_json()
    assert list(told) == ["path", "sha256", "bytes", "document_type", "edition", "verdict", "findings", "seconds"]
    assert list(told["seconds"]) == ["parse", "schema", "templates", "vocabulary", "uscdi", "content", "total"]
    assert (told["verdict"], told["document_type"]) == ("pass", "Continuity of Care Document (CCD)")
    assert {each["severity"] for each in told["findings"]} == {"warning", "info"}
    assert judgement.layers_not_run == ()
    assert judging.judge(data, "uscdi-v3").layers_not_run == ("content",)
    assert judging.judge(b"", "uscdi-v3").layers_not_run == judging.SECONDS[1:]


def test_a_judgement_fails_by_errors_alone(people):
    data = ccd.document(people.charts()[0], document_id="1")
    assert judging.judge(data, "uscdi-v3", people.zoe, others=people.records).verdict == "fail"
    assert judging.judge(data, "uscdi-v3", people.ann, WINDOW).verdict == "fail"
    assert judging.judge(b"{}", "uscdi-v3").verdict == "fail"
    note = data.replace(b"10.20.22.1.2", b"10.20.22.1.14").replace(b"34133-9", b"57133-1")
    assert judging.judge(note, "uscdi-v3").document_type == "Referral Note"
    assert {each.layer for each in errors(judging.judge(note, "uscdi-v3").findings)} == {Layer.TEMPLATE}


def test_a_record_without_facts_is_only_a_person(people):
    [ann, _] = people.load(people.text(facts=""))
    data = ccd.document(people.charts()[0], document_id="1")
    assert errors(judging.judge(data, "uscdi-v3", ann).findings) == []


def test_a_long_chart_is_judged_without_objection():
    [chart] = charts.load([charts.bundled()[1]])
    [person] = record.load(charts.bundled()[1])
    judgement = judging.judge(ccd.document(chart, document_id="1"), "uscdi-v3", person)
    assert errors(judgement.findings) == []


def test_the_categories_are_the_twenty_and_those_beyond():
    names = list(uscdi.categories())
    assert sum(each.ccds for each in uscdi.categories().values()) == 20
    assert {"encounters", "notes", "coverage", "reason_for_visit", "referrals"} <= set(names)
    known = set(uscdi.sections())
    assert all(set(each.sections) <= known for each in uscdi.categories().values())
    assert set(record.KINDS) == {kind for each in uscdi.categories().values() for kind in each.kinds}
