from __future__ import annotations

import re
import tomllib

from tests.support_docs import DOCS, ROOT, read, rows

NUMBERED = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))


def test_the_index_lists_every_decision() -> None:
    """Every decision stands in the index, under its number and with its own title."""
    listed = re.findall(
        r"\[(\d{4})\]\(([^)]+)\) \| (.+?) \|", (DOCS / "decisions" / "README.md").read_text()
    )
    assert [name for _, name, _ in listed] == NUMBERED
    for number, name, _ in listed:
        assert read(f"decisions/{name}").startswith(f"# {number}: ")


def test_every_decision_has_its_parts() -> None:
    """Each says the context, what was decided, what else there was, and what follows."""
    for name in NUMBERED:
        text = read(f"decisions/{name}")
        for part in ("**Context.**", "**Decision.**", "**What else", "**Consequences.**"):
            assert part in text or (part == "**What else" and "what else" in text), (name, part)


def test_the_table_of_dependencies_is_complete() -> None:
    """Every runtime dependency of the distribution has its reason, and no other stands there."""
    table = rows(read("decisions/0009-dependencies.md"))
    explained = {name.strip() for row in table for name in row["dependency"].split(",")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[\[>=<]", dependency)[0] for dependency in project["dependencies"]}
    assert explained == needed
