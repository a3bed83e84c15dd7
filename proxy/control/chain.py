"""The journal as a hash chain (pure): every entry holds the hash of the one before.

An entry is a text, kept as it was written: canonical JSON of a decision and of the version that it
made. Its hash is SHA-256 of that text. So nobody can alter, take out or put in an entry without
writing all that follow anew, and whoever has noted one hash elsewhere notices that, too. The
document of a version is in the entry by its own hash: it is long, and stands in the versions.

What an entry says is compared with the records of decisions and versions, which everybody reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Plain = Mapping[str, Any]

GENESIS: Final = "0" * 64
"""What the first entry has in the place of the hash before it."""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry by its number, counted from 1 without gaps, and its hash."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Link | None:
        """Read `NUMBER:HASH`; None when it is neither."""
        number, _, digest = text.strip().partition(":")
        is_number = number.isascii() and number.isdigit() and 0 < len(number) < 16
        if not is_number or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            return None
        return cls(int(number), digest)


BEGINNING: Final = Link(0, GENESIS)
"""What an empty journal ends with."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is kept."""

    number: int
    hash: str
    text: str

    @property
    def link(self) -> Link:
        """Its place in the chain."""
        return Link(self.number, self.hash)


def next_entry(
    before: Link,
    decision: Plain | None,
    version: Plain | None,
    *,
    lost: Link | None = None,
    restored: bool = False,
) -> Entry:
    """Make the entry that follows `before`.

    `lost` is the last entry that is known to have been written, where it is no longer there.
    `restored` are records that are written a second time, into a store that had lost them.
    """
    content: dict[str, Any] = {
        "number": before.number + 1,
        "previous": before.hash,
        "decision": decision,
        "version": None if version is None else _without_text(version),
    }
    if lost is not None:
        content["lost"] = str(lost)
    if restored:
        content["restored"] = True
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Entry(before.number + 1, digest(text), text)


def digest(text: str) -> str:
    """Give SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _without_text(version: Plain) -> dict[str, Any]:
    plain = {name: value for name, value in version.items() if name != "text"}
    return {**plain, "text_sha256": digest(str(version["text"]))}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the journal, and the entry at which it shows."""

    entry: int
    what: str

    def __str__(self) -> str:
        return f"entry {self.entry}: {self.what}"


class Verifier:
    """Reads a journal from its first entry on; `last` is the last one read.

    `expected` are entries that must be there: their hashes were noted elsewhere.
    """

    def __init__(self, expected: tuple[Link, ...] = ()) -> None:
        self.last = BEGINNING
        self.decisions = 0
        self._expected = sorted(expected, key=lambda link: link.number)

    def read(self, entry: Entry, decision: Plain | None, version: Plain | None) -> Iterator[Fault]:
        """Check one entry, and the records of the same decision and version as they are kept.

        The records are looked up by `named_in`; None means that there is none.
        """
        number, before, self.last = entry.number, self.last, entry.link
        if number != before.number + 1:
            missing = f"{before.number + 1} to {number - 1}"
            yield Fault(number, f"what stood before it is gone: {missing}")
        if digest(entry.text) != entry.hash:
            yield Fault(number, "its text is not the one that was hashed")
        content = _content(entry)
        if content is None:
            yield Fault(number, "its text cannot be read")
            return
        if content.get("number") != number:
            yield Fault(number, f"it was written as entry {content.get('number')}")
        if content.get("previous") != before.hash and number == before.number + 1:
            yield Fault(number, "it does not follow the entry before it")
        if (lost := content.get("lost")) is not None:
            yield Fault(number, f"when it was written, an earlier entry was gone: {lost}")
        yield from self._against_expected(entry)
        self.decisions += content.get("decision") is not None
        yield from _records(number, content, decision, version)

    def end(self) -> Iterator[Fault]:
        """Say what should still have come."""
        for link in self._expected:
            what = f"it is gone, with all behind {self.last.number}; it was {link.hash}"
            yield Fault(link.number, what)

    def _against_expected(self, entry: Entry) -> Iterator[Fault]:
        while self._expected and self._expected[0].number <= entry.number:
            link = self._expected.pop(0)
            if link.number != entry.number:
                yield Fault(link.number, f"it is gone; it was {link.hash}")
            elif link.hash != entry.hash:
                yield Fault(entry.number, f"it is another one than was noted: {link.hash}")


def named_in(entry: Entry) -> tuple[int | None, int | None]:
    """Give the id of the decision and the number of the version that an entry is about."""
    content = _content(entry) or {}
    return _number(content.get("decision"), "id"), _number(content.get("version"), "number")


def _number(record: Plain | None, key: str) -> int | None:
    number = None if record is None else record.get(key)
    return number if isinstance(number, int) and 0 <= number < 2**63 else None


def _content(entry: Entry) -> dict[str, Any] | None:
    try:
        content = json.loads(entry.text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    kinds = (content.get("decision"), content.get("version"))
    return content if all(each is None or isinstance(each, dict) for each in kinds) else None


def _records(
    number: int, content: Plain, decision: Plain | None, version: Plain | None
) -> Iterator[Fault]:
    """Compare what an entry says with the records that are kept."""
    kept = None if version is None else _without_text(version)
    pairs = (
        ("decision", "id", content.get("decision"), decision),
        ("version", "number", content.get("version"), kept),
    )
    for what, key, said, found in pairs:
        if said is None:
            continue
        name = f"{what} {said.get(key)}"
        if found is None:
            yield Fault(number, f"{name} was deleted")
            continue
        # What was not known when the entry was written, a later version of the program has added.
        differing = [each for each in said if found.get(each) != said[each]]
        if differing:
            yield Fault(number, f"{name} was changed afterwards: {', '.join(differing)}")
