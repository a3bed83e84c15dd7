"""The rules file and the comparison read the same grammar of paths."""

import re

from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import RulesError
from proxy.routing.schema import load_rules
from shadow_compare.paths import parse_pattern

RULES = """version: 1
upstreams: {{legacy: {{instances: ["http://a:1"]}}, modern: {{instances: ["http://b:1"]}}}}
routes:
  - id: all
    match: {{path: /*}}
    compare: {{critical: [{path}]}}
"""

PIECES = ["$", "status", "headers.", "cache-control", ".a", ".*", "['b c']", "[*]", "[0]", "[-1]"]
TEXTS = st.lists(st.sampled_from([*PIECES, "[order]", "[length]", "[", ".", "é"]), max_size=5)


def accepted_by_rules(path: str) -> bool:
    """Whether the schema takes a path."""
    quoted = '"' + re.sub(r"(['\"\\])", r"\\\1", path).replace("\\'", "'") + '"'
    try:
        load_rules(RULES.format(path=quoted), "rules.yaml")
    except RulesError:
        return False
    return True


def accepted_by_comparison(path: str) -> bool:
    """Whether the comparison can read a path."""
    try:
        parse_pattern(path)
    except ValueError:
        return False
    return True


@given(TEXTS.map("".join))
def test_both_read_the_same_paths(path: str) -> None:
    """What the rules file may say is what the comparison understands, and nothing else."""
    assert accepted_by_rules(path) == accepted_by_comparison(path)
