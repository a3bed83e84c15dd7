from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.chain import (
    BEGINNING,
    Entry,
    Fault,
    Link,
    Plain,
    Verifier,
    digest,
    named_in,
    next_entry,
)

DECISIONS: list[dict[str, Any]] = [
    {"id": number, "reason": f"because {number} ü", "evidence": {"value": 0.125, "n": [number]}}
    for number in range(1, 6)
]
VERSION = {"number": 3, "text": "version: 1\n", "author": "ada"}


def journal() -> list[Entry]:
    """Give five entries, the third of which made a version."""
    entries, end = [], BEGINNING
    for each in DECISIONS:
        entry = next_entry(end, each, VERSION if each["id"] == 3 else None)
        entries.append(entry)
        end = entry.link
    return entries


def faults(
    entries: list[Entry],
    expected: tuple[Link, ...] = (),
    decisions: list[dict[str, Any]] | None = None,
    version: Plain | None = VERSION,
) -> list[Fault]:
    """Verify these entries against these records."""
    verifier = Verifier(expected)
    kept = {each["id"]: each for each in (DECISIONS if decisions is None else decisions)}
    found: list[Fault] = []
    for entry in entries:
        number, made = named_in(entry)
        found += verifier.read(entry, kept.get(number or 0), version if made else None)
    return [*found, *verifier.end()]


def forged(entry: Entry, **changes: Any) -> Entry:
    """Write an entry anew with a hash that fits, as somebody would who knows how."""
    text = json.dumps({**json.loads(entry.text), **changes}, sort_keys=True)
    return Entry(entry.number, digest(text), text)


def test_a_journal_as_it_was_written_has_no_fault() -> None:
    """Nor has an empty one, nor one whose end was noted a while ago."""
    entries = journal()
    assert faults(entries) == faults([]) == []
    assert faults(entries, (entries[2].link, entries[4].link)) == []
    assert named_in(entries[2]) == (3, 3)


def altered(entries: list[Entry]) -> list[Entry]:
    """A word changed."""
    entries[1] = replace(entries[1], text=entries[1].text.replace("because 2", "because 9"))
    return entries


def rewritten(entries: list[Entry]) -> list[Entry]:
    """Changed, and hashed anew."""
    entries[1] = forged(entries[1], decision={**DECISIONS[1], "reason": "because 9"})
    return entries


def taken_out(entries: list[Entry]) -> list[Entry]:
    """One less."""
    return [*entries[:1], *entries[2:]]


def put_in(entries: list[Entry]) -> list[Entry]:
    """Another in its place."""
    return [entries[0], replace(entries[0], number=2), *entries[2:]]


def swapped(entries: list[Entry]) -> list[Entry]:
    """Two in the wrong order."""
    first, second = replace(entries[2], number=2), replace(entries[1], number=3)
    return [entries[0], first, second, *entries[3:]]


def garbled(entries: list[Entry]) -> list[Entry]:
    """What is no entry."""
    entries[1] = Entry(2, digest("[1]"), "[1]")
    return entries


def begun_later(entries: list[Entry]) -> list[Entry]:
    """Without a beginning."""
    return entries[2:]


@pytest.mark.parametrize(
    ("tamper", "first", "words"),
    [
        (altered, 2, "its text is not the one that was hashed"),
        (rewritten, 2, "decision 2 was changed afterwards: reason"),
        (taken_out, 3, "what stood before it is gone: 2 to 2"),
        (put_in, 2, "it was written as entry 1"),
        (swapped, 2, "it was written as entry 3"),
        (garbled, 2, "its text cannot be read"),
        (begun_later, 3, "what stood before it is gone: 1 to 2"),
    ],
)
def test_the_first_entry_that_is_not_as_it_was_is_named(
    tamper: Callable[[list[Entry]], list[Entry]], first: int, words: str
) -> None:
    """Altered, rewritten with a hash that fits, taken out, put in, swapped, garbled, cut off."""
    found = faults(tamper(journal()))
    assert min(fault.entry for fault in found) == first
    assert f"entry {first}: {words}" in map(str, found)


def test_a_chain_forged_to_its_end_is_betrayed_by_a_hash_noted_elsewhere() -> None:
    """Nothing in it is wrong, but it is another one."""
    entries, decisions = journal(), [*DECISIONS]
    decisions[1] = {**DECISIONS[1], "reason": "because 9"}
    end, other = entries[0].link, entries[:1]
    for each in decisions[1:]:
        other.append(next_entry(end, each, VERSION if each["id"] == 3 else None))
        end = other[-1].link
    assert faults(other, decisions=decisions) == []
    (fault,) = faults(other, (entries[4].link,), decisions)
    assert str(fault).startswith("entry 5: it is another one than was noted")


def test_an_end_that_was_cut_off_is_missed() -> None:
    """The chain alone cannot know; whoever noted its end does."""
    entries = journal()
    assert faults(entries[:3]) == []
    (fault,) = faults(entries[:3], (entries[4].link,))
    assert str(fault).startswith("entry 5: it is gone, with all behind 3")


def test_a_journal_that_went_on_after_a_loss_says_so() -> None:
    """The entry that was written first after it names the last one that was known."""
    lost = Link(41, digest("x"))
    entries = [next_entry(BEGINNING, DECISIONS[0], None, lost=lost)]
    assert [str(each) for each in faults(entries)] == [
        f"entry 1: when it was written, an earlier entry was gone: 41:{digest('x')}"
    ]


def test_records_are_held_against_the_entries() -> None:
    """A decision that was deleted, a document that was changed, a field that came later."""
    entries = journal()
    gone = [each for each in DECISIONS if each["id"] != 4]
    assert list(map(str, faults(entries, decisions=gone))) == ["entry 4: decision 4 was deleted"]
    other = {**VERSION, "text": "version: 1 # other\n"}
    assert list(map(str, faults(entries, version=other))) == [
        "entry 3: version 3 was changed afterwards: text_sha256"
    ]
    assert faults(entries, version={**VERSION, "added_later": {}}) == []


@given(st.integers(0, 4), st.data())
def test_no_single_character_can_be_changed(number: int, data: st.DataObject) -> None:
    """Wherever it stands, in the text or in the hash."""
    entries = journal()
    entry = entries[number]
    place = data.draw(st.integers(0, len(entry.text) - 1))
    char = data.draw(st.characters(codec="utf-8").filter(lambda c: c != entry.text[place]))
    text = entry.text[:place] + char + entry.text[place + 1 :]
    entries[number] = replace(entry, text=text)
    assert min(fault.entry for fault in faults(entries)) == number + 1


@pytest.mark.parametrize(
    ("text", "link"),
    [
        (f"41:{'a' * 64}\n", Link(41, "a" * 64)),
        ("", None),
        ("41", None),
        (f"41:{'a' * 63}", None),
        (f"-1:{'a' * 64}", None),
        (f"41:{'A' * 64}", None),
        (f"{'4' * 16}:{'a' * 64}", None),
    ],
)
def test_a_link_is_read_as_it_is_written(text: str, link: Link | None) -> None:
    """`NUMBER:HASH`, and nothing else."""
    assert Link.parse(text) == link
    assert link is None or Link.parse(str(link)) == link
