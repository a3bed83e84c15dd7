"""Two edits of one document, made at the same time, put together (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True, order=True)
class _Edit:
    """Lines `start` to `stop` of the base become `lines`."""

    start: int
    stop: int
    lines: tuple[str, ...]

    def collides_with(self, other: _Edit) -> bool:
        """Whether both are about the same lines, or put in something at the same place."""
        if self.start == other.start:
            return True
        first, second = sorted((self, other))
        return first.stop > second.start


def merged(base: str, mine: str, theirs: str) -> str | None:
    """Give a document with both changes, or None where both changed the same lines differently.

    What comes out is a text, not yet rules: two edits that are right can be wrong together.
    """
    before = base.splitlines(keepends=True)
    ours, others = _edits(before, mine), _edits(before, theirs)
    apart = [edit for edit in others if edit not in ours]
    if any(edit.collides_with(other) for edit in ours for other in apart):
        return None
    found = list(before)
    for edit in sorted([*ours, *apart], reverse=True):
        found[edit.start : edit.stop] = edit.lines
    return "".join(found)


def _edits(before: list[str], text: str) -> list[_Edit]:
    after = text.splitlines(keepends=True)
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [_Edit(i1, i2, tuple(after[j1:j2])) for tag, i1, i2, j1, j2 in codes if tag != "equal"]
