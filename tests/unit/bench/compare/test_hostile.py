from __future__ import annotations

from bench.compare.hostile import measured
from shadow_compare.normalize import Answer

JSON = (("content-type", "application/json"),)


def test_what_a_comparison_takes_is_measured_by_itself() -> None:
    """Seconds and megabytes are those of the comparison, the verdict is its own."""
    small, same = Answer(200, JSON, b"[1]"), Answer(200, JSON, b"[ 1 ]")
    seconds, megabytes, said = measured(small, same)
    assert 0.0 <= seconds < 0.5
    assert 0.0 <= megabytes < 20.0
    assert said == "match"
    text = b"[" + b"1," * 500_000 + b"1]"
    _, megabytes, said = measured(Answer(200, JSON, text), Answer(200, JSON, text[:-2] + b"2]"))
    assert megabytes > 1.0
    assert said == "mismatch"
