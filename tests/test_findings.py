"""What a scenario says when it fails."""

from dataclasses import replace

from onc_conformance.findings import Finding, Layer, Nonconformity, Severity

DOSE = Finding(
    layer=Layer.CONTENT,
    severity=Severity.ERROR,
    rule="G9-IA-TLV-2",
    message="medications: the dose of aspirin differs",
    path="/ClinicalDocument/component/doseQuantity",
    line=7,
    expected="1",
    found="2",
    exchange="0007",
)


def test_one_finding_is_one_line():
    assert str(Nonconformity([DOSE])) == str(DOSE)
    assert str(DOSE).endswith("expected 1; found 2; at /ClinicalDocument/component/doseQuantity line 7 exchange 0007")


def test_many_are_grouped_by_what_they_are_about_and_where():
    route = replace(DOSE, message="medications: the route of aspirin differs")
    other = replace(DOSE, exchange="0009")
    general = replace(DOSE, message="no document", severity=Severity.WARNING, exchange=None)
    lines = str(Nonconformity([DOSE, other, general, route])).splitlines()
    assert lines == [
        "3 errors, 1 warning",
        "medications (exchange 0007): 2",
        f"  - {DOSE}",
        f"  - {route}",
        "medications (exchange 0009): 1",
        f"  - {other}",
        "in general: 1",
        f"  - {general}",
    ]
