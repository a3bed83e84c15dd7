"""What was found once is tried for ever: every kept input, against every promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.__main__ import NAMES
from tests.fuzz.seeds import CORPUS, kept, seeds
from tests.fuzz.targets import TARGETS

LARGEST = 300_000
"""Bytes of all corpora together: they are cloned by everybody."""


@pytest.mark.parametrize("name", TARGETS)
def test_kept_inputs_keep_the_promises(name: str) -> None:
    """No input of the corpus, and none of the tables, breaks the target."""
    for data in seeds(name):
        try:
            TARGETS[name].one(data)
        except Exception as error:
            error.add_note(f"the input was {data!r}")
            raise


def test_corpora_are_where_they_are_looked_for() -> None:
    """Each target has one, of named or found files; none is empty, together they are small."""
    assert tuple(TARGETS) == NAMES
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} == set(TARGETS)
    assert all(len(kept(name)) >= 5 for name in TARGETS)
    assert sum(path.stat().st_size for name in TARGETS for path in kept(name)) < LARGEST


def test_inputs_are_not_rewritten_by_git() -> None:
    """A checkout with other line ends would change them."""
    assert (Path(CORPUS) / ".gitattributes").read_text() == "* -text\n"
