from __future__ import annotations

import os
from pathlib import Path

import pytest

from proxy.clock import FakeClock
from proxy.control.edit import with_weight
from proxy.control.loaded import LoadedRules
from proxy.control.loader import RulesFile
from proxy.control.own_writing import OwnWriting
from proxy.errors import RefusedError, RulesError
from proxy.routing.schema import load_rules
from tests.support_control import RULES

EDITED = RULES.replace("weight: 50%", "weight: 60%")
HALF = RULES[: RULES.index("  - id: everything-else")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a rules file."""
    path = tmp_path / "routing_rules.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture
def file(path: Path) -> RulesFile:
    """Give the file, loaded once."""
    file = RulesFile(path, FakeClock(wall=path.stat().st_ctime))
    file.load()
    return file


@pytest.fixture
def loaded() -> LoadedRules:
    """Give what the file says."""
    return LoadedRules(RULES, *load_rules(RULES, "rules"))


def renamed(path: Path, text: str) -> None:
    """Replace a file as a careful editor does."""
    fresh = path.with_name("fresh")
    fresh.write_text(text)
    fresh.replace(path)


def test_unchanged(file: RulesFile) -> None:
    """A file that nobody touches is reported once, by `load`."""
    assert file.poll() is None
    assert file.poll() is None


def noticed(file: RulesFile) -> LoadedRules | None:
    """Look twice, as it takes to believe what is found."""
    assert file.poll() is None
    return file.poll()


def test_renamed_over(file: RulesFile, path: Path) -> None:
    """A file put in place by renaming is taken when two looks in a row find it."""
    renamed(path, EDITED)
    loaded = noticed(file)
    assert loaded is not None
    assert loaded.text == EDITED
    assert file.poll() is None


def test_written_in_place(file: RulesFile, path: Path) -> None:
    """A file written in place is taken when two looks in a row find the same."""
    path.write_text(EDITED)
    assert noticed(file) is not None


def test_half_a_file_that_is_valid(file: RulesFile, path: Path) -> None:
    """Half of a file, although it is valid, is not taken while the other half is on its way."""
    path.write_text(HALF)
    assert file.poll() is None
    path.write_text(EDITED)
    loaded = noticed(file)
    assert loaded is not None
    assert loaded.text == EDITED


def test_same_size_and_time(file: RulesFile, path: Path) -> None:
    """An edit that leaves size and modification time as they were is still noticed."""
    before = path.stat()
    path.write_text(RULES.replace("50%", "60%"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert noticed(file) is not None


def test_broken_and_mended(file: RulesFile, path: Path) -> None:
    """A broken file has a problem until it is mended; mending it back to the same ends it too."""
    renamed(path, RULES.replace("weight: 50%", "weight: 500%"))
    assert noticed(file) is None
    assert file.problem is not None
    assert file.problem.problems[0].where.line == 19
    assert file.poll() is None
    renamed(path, RULES)
    loaded = noticed(file)
    assert loaded is not None
    assert loaded.text == RULES
    assert file.problem is None


def test_deleted_and_back(file: RulesFile, path: Path) -> None:
    """A file that is gone has a problem, which ends when it is back."""
    path.unlink()
    assert file.poll() is None
    assert "cannot be read" in str(file.problem)
    path.write_text(RULES)
    assert noticed(file) is not None
    assert file.problem is None


def test_not_text(path: Path) -> None:
    """Bytes that are no UTF-8 are refused with their line."""
    path.write_bytes(b"version: 1\n# gr\xf6\xdfer\n")
    with pytest.raises(RulesError, match=r"routing_rules.yaml:2:1: not UTF-8"):
        RulesFile(path, FakeClock()).load()


def test_byte_order_mark(path: Path) -> None:
    """A byte order mark, as some editors write it, is kept and does no harm."""
    path.write_bytes(b"\xef\xbb\xbf" + RULES.encode())
    file = RulesFile(path, FakeClock())
    loaded = file.load()
    assert loaded.text == RULES
    file.replace(with_weight(loaded, "plans", 2000, "rules.yaml"))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf# Who")


class TestSetWeight:
    """Writing back."""

    def test_mode_and_link_stay(self, path: Path) -> None:
        """The file keeps its mode, a symbolic link stays one, and nothing is left beside it."""
        path.chmod(0o640)
        link = path.with_name("link.yaml")
        link.symlink_to(path.name)
        through_link = RulesFile(link, FakeClock())
        edited = with_weight(through_link.load(), "plans", 2000, str(link))
        loaded = through_link.replace(edited)
        assert loaded.rules.routes[0].weight == 2000
        assert link.is_symlink()
        assert path.stat().st_mode & 0o777 == 0o640
        assert "weight: 20%" in path.read_text()
        assert {p.name for p in path.parent.iterdir()} == {path.name, link.name}

    def test_not_reported_back(self, file: RulesFile, loaded: LoadedRules) -> None:
        """What was written here is not found again as somebody's edit."""
        file.replace(with_weight(loaded, "plans", 2000, "rules.yaml"))
        assert file.is_current()
        assert file.poll() is None
        assert file.poll() is None

    def test_changed_meanwhile(self, file: RulesFile, path: Path) -> None:
        """A file that was changed since is not current."""
        path.write_text(EDITED)
        assert not file.is_current()

    def test_file_that_cannot_be_written(
        self,
        file: RulesFile,
        loaded: LoadedRules,
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A read-only file is refused with words, and stays as it is."""
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(RefusedError, match="make it writable"):
            file.replace(with_weight(loaded, "plans", 2000, "rules.yaml"))
        assert path.read_text() == RULES

    def test_file_that_is_a_mount_of_its_own(
        self,
        file: RulesFile,
        loaded: LoadedRules,
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Where renaming is impossible, as over a bind mount, the file is written in place."""

        def busy(self: Path, target: Path) -> None:  # noqa: ARG001 - Path.replace's signature
            raise OSError(16, "Device or resource busy")

        monkeypatch.setattr(Path, "replace", busy)
        file.replace(with_weight(loaded, "plans", 2000, "rules.yaml"))
        assert "weight: 20%" in path.read_text()
        assert {p.name for p in path.parent.iterdir()} == {path.name}


def test_it_follows_what_another_host_put_in_force(file: RulesFile, path: Path) -> None:
    """A file that nobody edited is brought up to date, and that is no edit of its own."""
    file.follow(EDITED, before=RULES)
    assert path.read_text() == EDITED
    assert file.problem is None
    assert file.poll() is None


def test_following_loses_no_edit_and_takes_none(file: RulesFile, path: Path) -> None:
    """An edit made while another host acted stays in the file, and is told until it is mended."""
    mine = RULES.replace("weight: 50%", "weight: 70%")
    path.write_text(mine)
    file.follow(EDITED, before=RULES)
    assert path.read_text() == mine
    assert "not what is in force" in str(file.problem)
    assert file.poll() is None
    assert not file.is_current()
    path.write_text(EDITED)
    file.follow(EDITED, before=EDITED)
    assert file.problem is None


def test_saved_once_more_it_is_taken(file: RulesFile, path: Path) -> None:
    """Where the host acts by now, an edit that was not taken is, when somebody makes it again."""
    path.write_text(RULES.replace("weight: 50%", "weight: 70%"))
    file.follow(EDITED, before=RULES)
    again = RULES.replace("weight: 50%", "weight: 71%")
    path.write_text(again)
    assert file.poll() is None  # two looks in a row must find the same
    taken = file.poll()
    assert taken is not None
    assert taken.text == again
    assert file.problem is None


def test_what_was_written_here_and_never_put_in_force_is_no_edit(
    path: Path, tmp_path: Path, loaded: LoadedRules
) -> None:
    """It was another host's turn before the store had it; the next process knows that, too."""
    own = OwnWriting(tmp_path / "rules.own")
    acting = RulesFile(path, FakeClock(), own)
    acting.load()
    acting.replace(with_weight(loaded, "subscriptions", 6000, str(path)))
    assert path.read_text() == EDITED
    restarted = RulesFile(path, FakeClock(), OwnWriting(tmp_path / "rules.own"))
    restarted.follow(RULES, before=RULES.replace("10%", "20%"))
    assert restarted.problem is None
    assert path.read_text() == RULES
    renamed(path, HALF)
    restarted.follow(RULES, before=RULES)
    assert "was edited while another host acted" in str(restarted.problem)
    assert path.read_text() == HALF
