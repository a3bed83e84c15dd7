from __future__ import annotations

from pathlib import Path

import pytest

from proxy.commands.diffs_export import FORMS
from shadow_compare.report.export import FORMATS
from tests.support_commands import cutover, filled_client

NAME = "9f1c2ab4d0e17735"


def test_every_format_has_an_option() -> None:
    """No more and no less than can be written."""
    assert set(FORMS) == set(FORMATS)


@pytest.mark.parametrize("kind", FORMS)
def test_one_group_is_written_as_it_is_asked_for(kind: str) -> None:
    """To standard output."""
    client = filled_client()
    result = cutover("diffs", "export", NAME, f"--{kind}", client=client)
    assert client.asked == [(f"/differences/{NAME}/export", {"as": kind})]
    assert (result.code, result.out) == (0, "<!doctype html>")


def test_all_groups_are_written_to_a_file(tmp_path: Path) -> None:
    """HTML unless another is named; filters are passed on."""
    client, file = filled_client(), tmp_path / "all.html"
    arguments = ("--route", "plans", "--critical", "--state", "open", "--out", str(file))
    result = cutover("diffs", "export", *arguments, client=client)
    assert client.asked == [
        (
            "/differences/export",
            {"as": "html", "route": "plans", "critical": "true", "state": "open", "limit": "100"},
        )
    ]
    assert file.read_text() == "signature,route"
    assert (result.out, result.err) == ("", f"{file}: 15 bytes\n")


def test_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With the cause."""
    result = cutover("diffs", "export", "--out", str(tmp_path), client=filled_client())
    assert result.code == 2
    assert f"--out {tmp_path}: Is a directory" in result.err
