"""Servers that lie, hang, swell and break off: each comes to a verdict, and none gets more than it should."""

import gzip
import json
from codecs import BOM_UTF8
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.bulk.hostile import TOKEN, Ehr, Scripted, examination

from onc_conformance import exported, population
from onc_conformance.bulk import files
from onc_conformance.findings import NotTested, Severity

RULE = "DAT-PAT-13"


@pytest.fixture
def ehr():
    server = Ehr()
    yield server
    server.close()


@pytest.fixture
def stranger():
    server = Scripted()
    server.answers["/patients.ndjson"] = (
        200,
        {"Content-Type": "application/fhir+ndjson"},
        b'{"resourceType":"Patient","id":"a"}\n',
    )
    yield server
    server.close()


@pytest.fixture
def exam(ehr, tmp_path):
    return examination(ehr, tmp_path, BULK_OTHER_GROUP="")


def read(exam):
    return exam.exports.fetched(population.begun(exam))


def said(findings, severity=Severity.ERROR):
    return [str(each) for each in findings if each.severity is severity]


def status(exam):
    """What is said of the way to the manifest."""
    return said(population.followed(exam, population.completed(exam), RULE))


def of_files(exam):
    return said(files.judged(read(exam), RULE))


def test_an_export_in_order_has_no_objection(exam):
    assert status(exam) == of_files(exam) == []
    [told] = said(population.in_order(exam, population.manifest(exam), RULE))
    assert "Expires is not a date until which the files are there" in told, "the description promises one"
    assert [file.lines for file in read(exam)] == [2]


def test_the_last_line_need_not_end(ehr, exam):
    answer = ehr.answers["/patients.ndjson"]
    ehr.answers["/patients.ndjson"] = (*answer[:2], answer[2].rstrip(b"\n"))
    assert of_files(exam) == []


def test_a_truncated_file_is_told_by_its_line(ehr, exam):
    answer = ehr.answers["/patients.ndjson"]
    ehr.answers["/patients.ndjson"] = (*answer[:2], answer[2][:-9])
    [told] = of_files(exam)
    assert "a line is not JSON" in told
    assert "line 2" in told


def test_a_server_that_closes_in_the_middle(ehr, exam):
    answer = ehr.answers["/patients.ndjson"]
    ehr.answers["/patients.ndjson"] = (200, {**answer[1], "Content-Length": "5000"}, answer[2])
    [told] = of_files(exam)
    assert "did not come to its end" in told
    assert "broke off" in told


def test_a_status_that_never_changes_is_given_up(ehr, exam):
    ehr.answers["/status"] = (202, {"Retry-After": "3", "X-Progress": "still at it"}, b"")
    [told] = status(exam)
    assert "it is not ready within 20 s" in told
    assert exam.waits == [3.0] * 6
    with pytest.raises(NotTested, match="has no manifest") as blocked:
        read(exam)
    assert blocked.value.step == "DAT-PAT-13"


def test_without_retry_after_the_pauses_grow(ehr, exam):
    ehr.answers["/status"] = [(202, {}, b"")] * 4 + [ehr.answers["/status"]]
    assert status(exam) == []
    assert exam.waits == [0.2, 0.5, 1.0, 2.0]


def test_a_retry_after_of_years_is_not_waited_for(ehr, exam):
    ehr.answers["/status"] = (202, {"Retry-After": "99999999"}, b"")
    assert "it is not ready" in status(exam)[0]
    assert exam.waits == []


def test_a_retry_after_that_is_none_is_told(ehr, exam):
    ehr.answers["/status"] = [(202, {"Retry-After": "soon"}, b""), ehr.answers["/status"]]
    assert "Retry-After says no time" in status(exam)[0]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            (200, {"Content-Type": "text/html"}, b"<html>Log in</html>"),
            "HTTP 200, the answer is not JSON but text/html",
        ),
        ((500, {}, b"oops"), "HTTP 500"),
        ((200, {}, b"[1, 2]"), "HTTP 200"),
        ((200, {}, b"[" * 100_000), "HTTP 200"),
        ((302, {"Location": "/status"}, b""), "a redirect loop"),
        ((404, {}, {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "gone"}]}), "HTTP 404, gone"),
    ],
    ids=["page", "error", "list", "deep", "loop", "gone"],
)
def test_a_status_that_is_none_is_no_manifest(ehr, exam, answer, why):
    ehr.answers["/status"] = answer
    [told] = status(exam)
    assert "the export never came to its end" in told
    assert why in told


@pytest.mark.parametrize("output", [1, "x", [1], [{"url": 5}], [{"url": "nowhere", "type": 7, "count": -1}], None])
def test_a_manifest_of_nonsense_is_told_field_by_field(ehr, exam, output):
    ehr.exports(output=output, requiresAccessToken="yes", transactionTime="yesterday", request=7, error={})
    told = said(population.in_order(exam, population.manifest(exam), RULE))
    for field in ("transactionTime", "request", "requiresAccessToken", "error", "output"):
        assert any(f"{field} is not" in each or f"{field}[0]" in each for each in told), field
    assert all(not file.ok for file in read(exam))


def test_a_token_goes_to_no_other_host(ehr, stranger, exam):
    ehr.exports({"type": "Patient", "url": f"{stranger.url}/patients.ndjson"})
    [told] = of_files(exam)
    assert "it is on another server, which gets no token" in told
    assert stranger.asked == []


def test_a_host_the_description_names_gets_the_token(ehr, stranger, tmp_path):
    exam = examination(ehr, tmp_path, bulk=f'file_hosts = ["{stranger.url}"]')
    ehr.exports({"type": "Patient", "url": f"{stranger.url}/patients.ndjson"})
    assert of_files(exam) == []
    assert stranger.asked[0][2]["Authorization"] == f"Bearer {TOKEN}"


def test_files_elsewhere_that_need_no_token_get_none(ehr, stranger, exam):
    ehr.exports({"type": "Patient", "url": f"{stranger.url}/patients.ndjson"}, requiresAccessToken=False)
    assert of_files(exam) == []
    assert "Authorization" not in stranger.asked[0][2]


def test_a_redirect_takes_no_token_along(ehr, stranger, exam):
    ehr.answers["/patients.ndjson"] = (302, {"Location": f"{stranger.url}/patients.ndjson"}, b"")
    read(exam)
    assert stranger.asked, "a file may be kept elsewhere"
    assert "Authorization" not in stranger.asked[0][2]


def test_a_status_elsewhere_gets_no_token(ehr, stranger, exam):
    ehr.answers["/fhir/Group/g/$export"] = (202, {"Content-Location": f"{stranger.url}/status"}, b"")
    assert "its status is told by another server" in status(exam)[0]
    assert all("Authorization" not in headers for _, _, headers in stranger.asked)


def test_a_redirect_loop_of_a_file_ends(ehr, exam):
    ehr.answers["/patients.ndjson"] = (302, {"Location": "/patients.ndjson"}, b"")
    assert "a redirect loop" in of_files(exam)[0]


def test_a_bomb_is_not_unpacked(ehr, exam):
    body = gzip.compress(b"\0" * 40_000_000)
    ehr.answers["/patients.ndjson"] = (200, {"Content-Encoding": "gzip"}, body)
    assert "swells to more than 200 times its size" in of_files(exam)[0]


def test_a_packed_file_is_unpacked(ehr, exam):
    answer = ehr.answers["/patients.ndjson"]
    ehr.answers["/patients.ndjson"] = (200, {**answer[1], "Content-Encoding": "gzip"}, gzip.compress(answer[2]))
    assert of_files(exam) == []


def test_a_line_without_end_is_not_kept(ehr, exam):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/fhir+ndjson")
        handler.end_headers()
        try:
            for _ in range(1600):
                handler.wfile.write(b"x" * 65536)
        except OSError:
            ehr.asked.append(("CUT", "/patients.ndjson", {}))

    ehr.answers["/patients.ndjson"] = endless
    [told] = of_files(exam)
    assert "a line is longer than 16,000,000 bytes" in told
    [file] = read(exam)
    assert len(file.got.exchange.response_body) <= 1 << 20
    assert file.got.exchange.omitted > 0


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"[" * 50_000, "JSON"),
        (b"\xff\xfe", "JSON"),
        (b"[]", "a resource"),
        (b'{"resourceType": 5}', "a resource"),
        (b'{"resourceType": "Group", "id": "g"}', "a Patient"),
        (b'{"resourceType": "Patient"}', "an id"),
    ],
)
def test_a_line_that_is_no_resource_is_told(ehr, exam, line, expected):
    ehr.file(line, {"resourceType": "Patient", "id": "b"})
    [told] = of_files(exam)
    assert f"a line is not {expected}" in told


def test_many_wrong_lines_are_a_few_findings(ehr, exam):
    ehr.exports({"type": "Patient", "url": f"{ehr.url}/patients.ndjson"})
    ehr.file(*[b"nonsense"] * 1000)
    told = of_files(exam)
    assert len(told) == files.ROOM + 1
    assert "995 more lines are not JSON" in told[-1]


def test_an_empty_file_and_empty_lines_are_no_lines(ehr, exam):
    ehr.exports({"type": "Patient", "url": f"{ehr.url}/patients.ndjson", "count": 0})
    ehr.answers["/patients.ndjson"] = (200, {"Content-Type": "application/fhir+ndjson"}, b"\n\r\n\n")
    assert of_files(exam) == []


def test_what_the_export_says_went_wrong_is_advice(ehr, exam):
    issue = {"severity": "error", "code": "exception", "diagnostics": "three notes could not be read"}
    ehr.exports(error=[{"type": "OperationOutcome", "url": f"{ehr.url}/errors.ndjson"}])
    ehr.file({"resourceType": "OperationOutcome", "id": "o", "issue": [issue]}, name="/errors.ndjson")
    whole = exported.whole(exam)
    [told] = said(exported.said(whole, RULE), Severity.WARNING)
    assert "three notes could not be read" in told
    assert said(files.judged(whole.files, RULE)) == []


def test_no_token_endpoint_is_told_as_such(ehr, exam):
    ehr.answers["/fhir/.well-known/smart-configuration"] = (200, {"Content-Type": "text/html"}, b"<html>")
    with pytest.raises(NotTested, match="names no token_endpoint"):
        population.begun(exam)


def test_what_is_not_set_is_named(ehr, tmp_path):
    exam = examination(ehr, tmp_path, BULK_GROUP="")
    with pytest.raises(NotTested, match="BULK_GROUP is not set"):
        population.begun(exam)
    exam = examination(ehr, tmp_path, BULK_JWK_FILE="")
    with pytest.raises(NotTested, match="BULK_JWK_FILE is not set"):
        population.begun(exam)


def test_no_token_is_written_down(ehr, exam):
    read(exam)
    for exchange in exam.journal.exchanges.values():
        shown = exam.journal.secrets.mask_bytes(exchange.response_body).decode()
        shown += json.dumps(exam.journal.secrets.mask_headers(exchange.request_headers))
        shown += exam.journal.secrets.mask_bytes(exchange.request_body).decode()
        assert TOKEN not in shown
        assert "eyJ" not in shown


def test_a_byte_order_mark_is_told_and_the_line_read_all_the_same(ehr, exam):
    ehr.file(*(BOM_UTF8 * (one == "a") + json.dumps({"resourceType": "Patient", "id": one}).encode() for one in "ab"))
    [told] = of_files(exam)
    assert "a line is not JSON from its first byte on" in told
    assert [file.lines for file in read(exam)] == [2]


def test_lines_may_end_as_they_do_elsewhere(ehr, exam):
    ehr.file(*(json.dumps({"resourceType": "Patient", "id": one}).encode() + b"\r" for one in "ab"))
    assert of_files(exam) == []


def test_a_server_that_is_busy_is_asked_again(ehr, exam):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=8), usegmt=True)
    ehr.answers["/status"] = [
        (429, {"Retry-After": "2"}, b""),
        (202, {"Retry-After": soon}, b""),
        ehr.answers["/status"],
    ]
    assert status(exam) == []
    assert exam.waits[0] == 2.0
    assert 4 < exam.waits[-1] <= 8


def test_what_comes_twice_is_advice(ehr, exam):
    twice = [{"resourceType": "Patient", "id": one, "meta": {"lastUpdated": "2026-01-01T00:00:00Z"}} for one in "aba"]
    ehr.file(*twice)
    whole = exported.whole(exam)
    [told] = said(exported.repeated(whole, RULE), Severity.WARNING)
    assert "Patient/a is exported more than once" in told


@pytest.mark.parametrize(("status", "many"), [(400, 0), (401, 0), (403, 0), (404, 1), (200, 1), (500, 1)])
def test_whoever_has_no_token_is_refused_in_one_way_or_another(ehr, exam, status, many):
    ehr.answers["/fhir/Group/g/$export"] = (status, {}, {"resourceType": "OperationOutcome"})
    found = population.refused(population.untokened(exam), (401, 403, 400), RULE, told=False)
    assert len(said(found)) == many
