"""The journal in a real database: what is done to it behind the controller's back is found."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.stack.postgres import Postgres
from proxy.control.anchor import Anchor
from proxy.control.audit import Verdict, sqlite_url, verify, verify_aside
from proxy.control.chain import Link
from proxy.control.journal import Journal
from proxy.control.status import DecisionRecord
from proxy.control.store.sql import SqlStore
from proxy.errors import ConflictError, RefusedError
from shadow_compare.store.errors import StoreError
from tests.contracts.store import decision, version
from tests.support_commands import cutover


class Place:
    """A state directory with its store."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.file = state / "cutover.db"
        self.anchor = Anchor(state / "journal.head")

    def store(self) -> SqlStore:
        """Open the store as another controller would."""
        return SqlStore(f"sqlite+aiosqlite:///{self.file}", self.anchor)

    async def write(self, first: int, last: int) -> None:
        """Keep a version and its decision under each of these numbers."""
        store = self.store()
        for number in range(first, last + 1):
            await store.append(version(number), made(number))
        await store.close()

    async def kept(self) -> list[int]:
        """Give the ids of all decisions that are kept."""
        store = self.store()
        found = await store.decisions(limit=100_000)
        await store.close()
        return [each.id for each in reversed(found)]

    def execute(self, *statements: str) -> None:
        """Do something behind the controller's back."""
        with closing(sqlite3.connect(self.file)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    async def verdict(self) -> Verdict:
        """Verify with what is noted of the end."""
        link = self.anchor.read()
        return await verify(sqlite_url(self.file), () if link is None else (link,))


def made(number: int) -> DecisionRecord:
    """Give the decision that made a version."""
    return replace(decision(number), version=number)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Give an empty state directory."""
    return Place(tmp_path)


async def test_what_the_store_has_written_is_whole(place: Place) -> None:
    """By several controllers, one after another, and while one of them goes on."""
    await place.write(1, 3)
    await place.write(4, 130)
    found = await place.verdict()
    assert (found.first, found.last.number, found.decisions, found.unchained) == (None, 130, 130, 0)
    assert place.anchor.read() == found.last


@pytest.mark.parametrize(
    ("statement", "first", "words"),
    [
        ("update control_decisions set reason = 'x' where id = 3", 3, "decision 3 was changed"),
        ("update control_decisions set evidence = '{}' where id = 3", 3, "afterwards: evidence"),
        ("delete from control_decisions where id = 3", 3, "decision 3 was deleted"),
        ("update control_versions set author = 'x' where number = 4", 4, "version 4 was changed"),
        ("update control_versions set text = 'x' where number = 4", 4, "afterwards: text_sha256"),
        ("delete from control_versions where number = 4", 4, "version 4 was deleted"),
        (
            "update control_journal set hash = 'x' where number = 2",
            2,
            "not the one that was hashed",
        ),
        ("update control_journal set entry = entry || ' ' where number = 2", 2, "was hashed"),
        ("delete from control_journal where number = 2", 3, "what stood before it is gone: 2 to 2"),
        ("delete from control_journal where number = 1", 2, "what stood before it is gone: 1 to 1"),
        ("delete from control_journal where number = 5", 5, "it is gone, with all behind 4"),
        (
            "insert into control_decisions select 9, at, route, action, author, reason, version,"
            " evidence from control_decisions where id = 3",
            6,
            "decision 9 stands in no entry",
        ),
    ],
)
async def test_tampering_is_found_at_the_entry(
    place: Place, statement: str, first: int, words: str
) -> None:
    """Records and entries, changed, deleted, added; an end that was cut off, too."""
    await place.write(1, 5)
    place.execute(statement)
    found = await place.verdict()
    assert found.first is not None
    assert found.first.entry == first
    assert words in "\n".join(map(str, found.faults))


async def test_the_command_names_the_first_broken_entry(place: Place) -> None:
    """And ends with 1; it needs no running controller, and is told an entry noted elsewhere."""
    await place.write(1, 5)
    arguments = ("audit", "verify", "--state", str(place.state))
    whole = await asyncio.to_thread(cutover, *arguments)
    assert (whole.code, whole.err) == (0, "")
    assert "the journal is whole: 5 entries, 5 decisions" in whole.out
    noted = whole.out.rpartition("last entry ")[2].strip()
    place.execute("update control_decisions set author = 'nobody' where id > 2")
    broken = await asyncio.to_thread(cutover, *arguments, "--expect", noted)
    assert broken.code == 1
    assert "entry 3: decision 3 was changed afterwards: author" in broken.err
    assert "the first entry is 3" in broken.err
    mistyped = await asyncio.to_thread(cutover, *arguments, "--expect", "5")
    assert mistyped.code == 2
    nowhere = await asyncio.to_thread(cutover, "audit", "verify", "--state", "/nowhere")
    assert (nowhere.code, "no such database" in nowhere.err) == (1, True)


async def test_a_controller_verifies_beside_what_it_does(place: Place) -> None:
    """In a thread, by the same rules; a store that is not there is told, and not made."""
    await place.write(1, 5)
    found = await verify_aside(sqlite_url(place.file), place.anchor)
    assert (found.first, found.guarded, found.to_plain()["entries"]) == (None, True, 5)
    with pytest.raises(RefusedError, match="no such database"):
        sqlite_url(place.state / "gone.db")


async def test_a_chain_written_anew_is_betrayed_by_the_entry_noted_before(place: Place) -> None:
    """Who rewrites it all, with hashes that fit, cannot give back the old hash."""
    await place.write(1, 5)
    (noted, file) = (place.anchor.read(), place.file)
    for each in place.state.glob("cutover.db*"):
        each.unlink()
    (place.state / "journal.head").unlink()
    await place.write(2, 6)
    assert (await place.verdict()).first is None
    assert noted is not None
    found = await verify(sqlite_url(file), (noted,))
    assert found.first is not None
    assert "another one than was noted" in str(found.first)


async def test_a_copy_put_back_is_told_when_the_journal_goes_on(place: Place) -> None:
    """The entries between are gone; the next one names the last that was known, for ever."""
    await place.write(1, 3)
    shutil.copy(place.file, place.state / "copy.db")
    await place.write(4, 5)
    for each in place.state.glob("cutover.db*"):
        each.unlink()
    shutil.copy(place.state / "copy.db", place.file)
    found = await place.verdict()
    assert found.first is not None
    assert found.first.entry == 5
    await place.write(4, 8)
    found = await place.verdict()
    assert found.first is not None
    assert "entry 4: when it was written, an earlier entry was gone: 5:" in str(found.first)


async def test_a_deleted_store_is_told_by_the_one_made_anew(place: Place) -> None:
    """While the controller runs, too: what it remembers is written again, and marked."""
    store = place.store()
    journal = Journal(store)
    await journal.open(None)
    for number in (1, 2, 3):
        journal.add(version(number), made(number))
        await journal.flush()
    place.file.unlink()
    journal.add(version(4), made(4))
    await journal.flush()
    await journal.close()
    found = await place.verdict()
    assert journal.problem is None
    assert await place.kept() == [1, 2, 3, 4]
    assert found.last.number == 4
    assert [fault.entry for fault in found.faults] == [1]
    assert "an earlier entry was gone: 3:" in str(found.first)


WRITER = """\
import asyncio, sys
from pathlib import Path
from tests.integration.control.test_audit import Place

async def write() -> None:
    for number in range(int(sys.argv[2]), 100000):
        await Place(Path(sys.argv[1])).write(number, number)
        print(number, flush=True)

asyncio.run(write())
"""


async def test_killed_at_any_moment_the_journal_is_whole(place: Place) -> None:
    """SIGKILL in mid-append: an entry is there with its records, or none of them."""
    first = 1
    for wait in range(2):
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(place.state), str(first), stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        try:
            await writer.stdout.readline()
            await asyncio.sleep(wait * 0.005)
        finally:
            writer.kill()
            await writer.wait()
        found = await place.verdict()
        assert (found.faults, found.last.number >= first) == ((), True)
        assert await place.kept() == list(range(1, found.last.number + 1))
        first = found.last.number + 1


async def test_on_a_full_disk_nothing_is_half_written(place: Place) -> None:
    """What does not fit waits in memory, and is written when there is room again."""
    journal = Journal(place.store())
    await journal.open(None)
    journal.add(version(1), made(1))
    await journal.flush()
    limit = "PRAGMA max_page_count = {}"
    store = journal._store
    assert isinstance(store, SqlStore)
    opened = await store._database._current()
    async with opened.connection() as connection:  # the pool has one, and gives it every time
        await connection.exec_driver_sql(limit.format(1))
    for number in range(2, 60):
        journal.add(version(number), made(number))
        await journal.flush()
    assert journal.problem is not None
    assert "full" in journal.problem
    written = (await place.verdict()).last.number
    assert 1 <= written < 59
    assert (await place.verdict()).first is None
    async with opened.connection() as connection:
        await connection.exec_driver_sql(limit.format(100_000))
    await journal.close()
    found = await place.verdict()
    assert (found.first, found.last.number) == (None, 59)


async def test_two_controllers_on_one_store(place: Place) -> None:
    """The second of two that write the same number is refused, and its record is not passed off.

    It is told of, and kept; what is in the journal stays as it is.
    """
    await place.write(1, 1)
    ours, theirs = Journal(place.store()), Journal(place.store())
    await ours.open(None)
    await theirs.open(None)
    ours.add(version(2), made(2))
    await ours.flush()
    theirs.add(replace(version(2), author="bob"), replace(made(2), author="bob"))
    await theirs.flush()
    assert theirs.problem is not None
    assert "another record 2 than ours, by jürgen" in theirs.problem
    await ours.close()
    await theirs.close()
    found = await place.verdict()
    assert (found.first, found.last.number) == (None, 2)


async def test_decisions_older_than_the_journal_are_counted_apart(place: Place) -> None:
    """A store of an earlier version has no journal: it begins with the next decision."""
    await place.write(1, 2)
    place.execute("drop table control_journal")
    with pytest.raises(RefusedError, match="has no journal"):
        await place.verdict()
    (place.state / "journal.head").unlink()
    await place.write(3, 4)
    found = await place.verdict()
    assert (found.first, found.last.number, found.decisions, found.unchained) == (None, 2, 2, 2)


async def test_a_broken_file_is_left_as_it_is(place: Place) -> None:
    """Whoever audits does not mend: it may have to be looked at."""
    place.file.write_bytes(b"rubbish" * 1000)
    with pytest.raises(RefusedError, match="cannot be read"):
        await place.verdict()
    assert place.file.read_bytes() == b"rubbish" * 1000


async def test_the_same_on_postgresql(postgres_server: Postgres, tmp_path: Path) -> None:
    """One journal behind several controllers: the second of two writers at once is refused."""
    url = postgres_server.create_database("journal", replace=True).sqlalchemy_url
    stores = [SqlStore(url, Anchor(tmp_path / f"head-{number}")) for number in range(2)]
    for number in range(1, 5):
        await stores[number % 2].append(version(number), made(number))
    racing = [store.append(None, made(5 + n)) for n, store in enumerate(stores)]
    outcomes = await asyncio.gather(*racing, return_exceptions=True)
    assert all(isinstance(each, Link | ConflictError | StoreError) for each in outcomes)
    written = 4 + sum(isinstance(each, Link) for each in outcomes)
    found = await verify(url)
    assert (found.first, found.last.number) == (None, written)
    database = stores[0]._database
    async with database.begin() as connection:
        await connection.exec_driver_sql("delete from control_decisions where id = 2")
    found = await verify(url)
    assert found.first is not None
    assert str(found.first) == "entry 2: decision 2 was deleted"
    for store in stores:
        await store.close()
