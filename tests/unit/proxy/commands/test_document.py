from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support_commands import cutover, filled_client
from tests.support_console import DOCUMENT


def test_a_difference_is_told_in_sentences_and_in_lines() -> None:
    """What matters first; the version in force unless one is named, its parent unless two are."""
    client = filled_client()
    client.answers["/versions/18/diff"]["diff"] = "-    weight: 10%\n+    weight: 20%\n"
    result = cutover("diff", client=client)
    assert result.out.startswith("from version 18 to version 18:\n  kill switch on\n")
    assert "\n+    weight: 20%\n" in result.out
    cutover("diff", "17", "18", client=client)
    assert client.asked[-1] == ("/versions/18/diff", {"against": "17"})
    assert json.loads(cutover("diff", "18", "--json", client=client).out)["before"] == 18


def test_a_revert_names_what_stays_rolled_back() -> None:
    """The document is that of the version; the rollback is still there, and that is said."""
    client = filled_client()
    client.answers["/versions/18/revert"]["evidence"] = {"still_rolled_back": ["plans"]}
    result = cutover("revert", "18", "--reason", "too fast", "--if-version", "20", client=client)
    assert client.sent == [
        ("POST", "/versions/18/revert", {"reason": "too fast", "author": "ada"}, 20)
    ]
    assert "the document of version 18 is in force again" in result.out
    assert "plans stays rolled back (cutover resume plans)" in result.err


def exported() -> str:
    """Give the file that `export` makes of version 18."""
    return cutover("export", "--version", "18", client=filled_client()).out


def test_an_export_is_the_document_with_the_version_it_comes_from() -> None:
    """Every character of it: comments, and the ends of its lines."""
    first, _, rest = exported().partition("\n")
    assert first.startswith("# exported from version 18 of ")
    assert rest == filled_client().answers["/versions/18"]["text"]


def test_an_export_is_written_to_a_file(tmp_path: Path) -> None:
    """Byte by byte what would have been printed; a file that cannot be written is told."""
    file, client = tmp_path / "rules.yaml", filled_client()
    client.answers["/versions/18"]["text"] = "version: 1\r\n"
    arguments = ("export", "--version", "18", "--output")
    assert "is written to" in cutover(*arguments, str(file), client=client).out
    assert file.read_bytes().endswith(b"Z\nversion: 1\r\n")
    refused = cutover(*arguments, str(tmp_path), client=client)
    assert (refused.code, "Is a directory" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("text", "options", "version"),
    [
        (exported(), (), 18),
        (exported(), ("--if-version", "20"), 20),
        (exported(), ("--any-version",), None),
        (DOCUMENT, ("--if-version", "20"), 20),
    ],
)
def test_an_import_loses_to_what_came_since_the_export(
    tmp_path: Path, text: str, options: tuple[str, ...], version: int | None
) -> None:
    """It is sent under the version it was made from, and without the line that says so."""
    file, client = tmp_path / "rules.yaml", filled_client()
    file.write_text(text)
    result = cutover("import", str(file), "--reason", "reviewed", *options, client=client)
    assert (result.code, result.err) == (0, "")
    [(method, path, body, expected)] = client.sent
    assert (method, path, expected) == ("PUT", "/rules", version)
    assert body["text"].startswith("version: 1\n")


def test_an_import_of_unknown_origin_is_refused_with_both_ways_out(tmp_path: Path) -> None:
    """Nobody overwrites what they have not seen by forgetting an option."""
    file, client = tmp_path / "rules.yaml", filled_client()
    file.write_text(DOCUMENT)
    result = cutover("import", str(file), "--reason", "reviewed", client=client)
    assert (result.code, client.sent) == (1, [])
    assert "--if-version N" in result.err
    assert "--any-version" in result.err


def test_a_document_with_a_mistake_is_not_sent(tmp_path: Path) -> None:
    """The error names the line of the file that was given."""
    file, client = tmp_path / "rules.yaml", filled_client()
    file.write_text(DOCUMENT.replace("weight: 10%", "wieght: 10%"))
    result = cutover(
        "import", str(file), "--any-version", "--reason", "reviewed", client=client
    )  # fmt: skip
    assert (result.code, client.sent) == (1, [])
    assert f"{file}:9:5: routes[0].wieght: unknown key" in result.err
