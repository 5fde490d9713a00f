"""Where runs are written, and what becomes of a disk that will not have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from onc_conformance.findings import UsageError
from onc_conformance.report import point_latest, run_folder, write

STARTED = datetime(2026, 11, 22, 22, 18, 5, tzinfo=UTC)


def test_a_folder_is_named_by_the_start_in_utc(tmp_path):
    local = STARTED.astimezone(timezone(timedelta(hours=-8)))
    assert run_folder(tmp_path / "reports", local) == tmp_path / "reports" / "20261122T221805Z"


def test_runs_of_the_same_second_get_folders_of_their_own_that_sort(tmp_path):
    names = [run_folder(tmp_path, STARTED).name for _ in range(3)]
    names.append(run_folder(tmp_path, STARTED + timedelta(seconds=1)).name)
    assert names == sorted(set(names))
    assert names[1] == "20261122T221805Z-02"


def test_latest_leads_to_the_newest_run(tmp_path):
    for _ in range(2):
        newest = run_folder(tmp_path, STARTED)
        (newest / "dossier.html").write_text(newest.name)
        assert point_latest(newest) == tmp_path / "latest"
        assert (tmp_path / "latest" / "dossier.html").read_text() == newest.name
    assert (tmp_path / "latest").readlink() == Path(newest.name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["20261122T221805Z", "20261122T221805Z-02", "latest"]


def test_without_links_a_text_file_names_the_newest_run(tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    newest = run_folder(tmp_path, STARTED)
    assert point_latest(newest) == newest
    assert (tmp_path / "latest.txt").read_text() == "20261122T221805Z\n"


def test_a_folder_somebody_called_latest_is_left_alone(tmp_path):
    (tmp_path / "latest").mkdir()
    (tmp_path / "latest" / "mine.txt").write_text("mine")
    newest = run_folder(tmp_path, STARTED)
    assert point_latest(newest) == newest
    assert (tmp_path / "latest" / "mine.txt").read_text() == "mine"


def test_a_link_takes_the_place_of_the_text_file(tmp_path):
    (tmp_path / "latest.txt").write_text("older\n")
    point_latest(run_folder(tmp_path, STARTED))
    assert not (tmp_path / "latest.txt").exists()


def test_a_reports_folder_that_is_a_file_is_a_usage_error_of_one_line(tmp_path):
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(
        UsageError, match=r"reports: cannot be written: .*; free some space or choose another folder"
    ) as caught:
        run_folder(tmp_path / "reports", STARTED)
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_a_usage_error_of_one_line(run, tmp_path, monkeypatch):
    def full(path, *_args, **_options):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match=r"cannot be written: No space left on device; free some space") as caught:
        write(run, tmp_path / "run")
    assert "\n" not in str(caught.value)
