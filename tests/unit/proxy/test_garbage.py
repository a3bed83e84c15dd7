from __future__ import annotations

import subprocess
import sys

SETTLED = """
import gc
from proxy.garbage import OLDER, YOUNG, settle
kept = [[]]
kept[0].append(kept)
settle()
assert gc.get_threshold() == (YOUNG, *OLDER)
assert gc.get_freeze_count() > 1000
assert not any(each is kept for each in gc.get_objects())
later = []
later.append(later)
del later
assert gc.collect() == 1
"""


def test_what_is_there_is_left_alone_and_what_comes_is_collected() -> None:
    """In an interpreter of its own: it would hold for all the tests that follow."""
    subprocess.run([sys.executable, "-c", SETTLED], check=True, timeout=60)
