from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy.recording import RecordingFile
from tests.support_commands import NOW, Result, cutover

WHY = ("--reason", "before the cutover")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Give a state directory whose proxy has two routes."""
    routes = [{"id": "plans"}, {"id": "users"}]
    (tmp_path / "snapshot.json").write_text(json.dumps({"document": {"routes": routes}}))
    return tmp_path


def record(state: Path, *arguments: str) -> Result:
    """Run one of the commands."""
    return cutover("record", *arguments, "--state", str(state))


def test_a_recording_begins_and_is_told(state: Path) -> None:
    """What is recorded, until when, and where it goes."""
    found = record(state, "start", "--route", "plans", "--share", "12.5%", "--for", "2h",
                   "--size", "1GiB", *WHY)  # fmt: skip
    assert found.code == 0
    order = RecordingFile(state).read()
    assert order is not None
    assert (order.routes, order.share, order.size) == (("plans",), 0.125, 2**30)
    assert (order.at, order.until) == (NOW, NOW + 7200)
    assert order.reason == WHY[1]
    assert "recording 12.5% of plans until" in found.out
    assert str(state / "recordings" / order.id) in found.out
    told = record(state, "status").out.splitlines()
    assert told[0] == "recording 12.5% of plans, 2 h left"
    assert told[1].endswith(f": {WHY[1]}")


def test_it_is_stopped_once(state: Path) -> None:
    """And says what to do with it."""
    record(state, "start", *WHY)
    first, second = record(state, "stop"), record(state, "stop")
    assert first.out.startswith("stopped; cutover replay ")
    assert second.out == "nothing was being recorded\n"
    assert (first.code, second.code) == (0, 0)
    assert record(state, "status").out == "nothing is being recorded\n"


def test_what_was_recorded_is_listed(state: Path) -> None:
    """With its size, also for scripts."""
    folder = state / "recordings" / "20261201T120000Z"
    folder.mkdir(parents=True)
    (folder / "shadow0-0001.gor").write_bytes(b"x" * 1_500_000)
    assert "20261201T120000Z" in record(state, "status").out
    assert "1.5 MB" in record(state, "status").out
    plain = json.loads(record(state, "status", "--json").out)
    assert plain["recording"] is None
    assert plain["recordings"] == [
        {"id": "20261201T120000Z", "folder": str(folder), "files": 1, "size": 1_500_000}
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--share", "0%"), "is not a share above 0%"),
        (("--share", "all"), "is not a share above 0%"),
        (("--for", "10"), "is not a time up to 7d"),
        (("--for", "8d"), "is not a time up to 7d"),
        (("--for", "0s"), "is not a time up to 7d"),
        (("--size", "256"), "is not a size up to 64GiB"),
        (("--size", "65GiB"), "is not a size up to 64GiB"),
        (("--route", "plan"), "did you mean 'plans'?"),
        (("--route", "x"), "there are plans, users"),
    ],
)
def test_what_cannot_be_ordered_is_refused(
    state: Path, arguments: tuple[str, ...], words: str
) -> None:
    """With what to write instead; and nothing begins."""
    found = record(state, "start", *arguments, *WHY)
    assert (found.code, words in found.err) == (2, True), found.err
    assert RecordingFile(state).read() is None


def test_one_recording_at_a_time(state: Path) -> None:
    """Somebody may be waiting for it."""
    record(state, "start", *WHY)
    found = record(state, "start", "--reason", "me too")
    assert found.code == 2
    assert WHY[1] in found.err
    assert "cutover record stop" in found.err


def test_a_state_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    """It is another host, or another directory."""
    found = record(tmp_path / "missing", "status")
    assert found.code == 2
    assert "there is no such directory on this host" in found.err
