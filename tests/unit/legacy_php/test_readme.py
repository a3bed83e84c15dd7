from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "legacy_php"
README = (FOLDER / "README.md").read_text()
_ROW = re.compile(
    r"^\| (?P<trait>.+) \| `(?P<file>[\w./]+):(?P<line>\d+)` \| `(?P<shown>.+)` \|$", re.M
)
TRAITS = [match.groupdict() for match in _ROW.finditer(README)]
_GUARDED = sorted(
    path.relative_to(FOLDER).as_posix()
    for path in FOLDER.rglob("*.php")
    if path.name != "index.php"
)


def test_lists_its_traits() -> None:
    """The README names the traits that a migration meets, one row each."""
    assert len(TRAITS) >= 20


@pytest.mark.parametrize("row", TRAITS, ids=lambda row: f"{row['file']}:{row['line']}")
def test_trait_is_where_the_readme_says(row: dict[str, str]) -> None:
    """Each line that the README names still shows its trait."""
    lines = (FOLDER / row["file"]).read_text().splitlines()
    assert row["shown"] in lines[int(row["line"]) - 1], row["trait"]


@pytest.mark.parametrize("name", _GUARDED)
def test_every_other_file_refuses_to_be_a_page(name: str) -> None:
    """Each PHP file but index.php answers 404 by itself, before it does anything else."""
    source = (FOLDER / name).read_text()
    guard = re.search(r"^if \((!defined\('BILLING_APP'\)|PHP_SAPI !== 'cli')\) \{$", source, re.M)
    assert guard is not None
    before = re.sub(r"/\*.*?\*/", "", source[: guard.start()], flags=re.S)
    assert before.strip() == "<?php"
    assert "http_response_code(404);" in source[guard.end() : guard.end() + 80]


def test_documents_every_variable_it_reads() -> None:
    """The README lists exactly the environment variables that config.php reads."""
    read = set(re.findall(r"LEGACY_\w+", (FOLDER / "config.php").read_text()))
    assert read == set(re.findall(r"LEGACY_\w+", README))


def test_never_pastes_a_value_into_sql() -> None:
    """No SQL text holds a variable besides the parts that the code itself chooses."""
    chosen = {"$where", "$unit", "$table"}
    for path in FOLDER.rglob("*.php"):
        for text in re.findall(
            r'"(?:SELECT|INSERT|UPDATE|DELETE|TRUNCATE)[^"]*"', path.read_text()
        ):
            assert set(re.findall(r"\$\w+", text)) <= chosen, f"{path.name}: {text}"
