"""Processes side by side: order, what becomes of the others when one dies or hangs, how far they run ahead."""

import multiprocessing

import pytest
from tests.batch.labour import Labour, Unwilling

from onc_conformance.batch import workers
from onc_conformance.batch.archives import Source, refused


def told(words, jobs=2, work=None):
    sources = (each if isinstance(each, Source) else Source(f"{n}", each) for n, each in enumerate(words))
    with workers.Processes(work or Labour(), jobs) as crew:
        return [(each.verdict, *each.text.split(" ", 1)) for each in crew.tell(sources)]


def test_documents_are_told_in_the_order_they_came_in(tmp_path):
    """Side by side: the first two wait for each other."""
    found = told([b"meet %b" % bytes(tmp_path), b"meet %b" % bytes(tmp_path), *[b""] * 9])
    assert [path for _, path, _ in found] == [str(n) for n in range(11)]
    assert found[0][2] != found[1][2]


def test_what_was_refused_needs_no_process():
    refusals = [refused(name, "ZIP-EMPTY", "nothing") for name in "abc"]
    assert [text for _, text in told(refusals)] == ["ZIP-EMPTY"] * 3
    assert [each[1] for each in told([b"", refusals[0], b""])] == ["0", "ZIP-EMPTY", "2"]


def test_no_documents_are_told_as_none():
    assert told([]) == []


@pytest.mark.parametrize(("word", "said"), [(b"die", "SIGKILL"), (b"leave", "ended with code 3")])
def test_a_process_that_dies_loses_its_document_alone(word, said):
    found = told([b"", b"", word, b"", word, b"", b""])
    assert [verdict for verdict, *_ in found] == ["pass", "pass", "error", "pass", "error", "pass", "pass"]
    assert said in found[2][2]


def test_a_process_that_hangs_loses_its_document_alone(monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 1.0)
    found = told([b"", b"hang", b"", b""])
    assert [verdict for verdict, *_ in found] == ["pass", "error", "pass", "pass"]
    assert found[1][2] == "judging took longer than 1 s"


def test_a_process_that_dies_with_nothing_to_do_is_replaced():
    def sources():
        yield Source("0", b"")
        [process] = multiprocessing.active_children()
        while not first:
            yield refused("x", "ZIP-EMPTY", "nothing")
        process.kill()
        process.join()
        yield Source("1", b"")

    first = []
    with workers.Processes(Labour(), 1) as crew:
        for each in crew.tell(sources()):
            assert each.verdict == "pass"
            first += [each.text] if each.text.startswith("0 ") else []
    assert first
    assert each.text.startswith("1 ")


def test_a_process_that_cannot_start_ends_the_work():
    with pytest.raises(RuntimeError, match=r"cannot be started: .*code 7"):
        told([b""], work=Unwilling())


def test_a_process_is_followed_by_a_fresh_one(monkeypatch):
    monkeypatch.setattr(workers, "LIFE", 2)
    found = told([b""] * 6, jobs=1)
    assert [path for _, path, _ in found] == [str(n) for n in range(6)]
    assert len({process for _, _, process in found}) == 3


def test_the_quick_run_ahead_of_the_slow_only_so_far(monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 2.0)
    monkeypatch.setattr(workers, "AHEAD", 3)
    read = []

    def sources():
        for n in range(30):
            read.append(n)
            yield Source(str(n), b"hang" if n == 0 else b"")

    with workers.Processes(Labour(), 2) as crew:
        telling = crew.tell(sources())
        assert next(telling).verdict == "error"
        assert len(read) <= 2 * 3 + 2, "while the first is judged, so many were read"
        assert len(list(telling)) == 29


def test_what_has_come_is_there_for_one_who_will_not_wait():
    read = []

    def sources():
        for n in range(8):
            if n == 6:
                raise KeyboardInterrupt
            read.append(n)
            yield Source(str(n), b"hang" if n == 1 else b"")

    with pytest.raises(KeyboardInterrupt), workers.Processes(Labour(), 2) as crew:
        try:
            assert [each.text.split()[0] for each in crew.tell(sources())] == ["0"]
        except KeyboardInterrupt:
            assert [each.text.split()[0] for each in crew.finished()][:2] == ["2", "3"]
            raise
    assert not multiprocessing.active_children()
