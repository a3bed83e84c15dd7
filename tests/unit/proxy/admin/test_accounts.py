# ruff: noqa: ASYNC240 - one process, one file: what a test waits for here takes microseconds

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.admin.accounts import Accounts, new_account, read_accounts
from proxy.admin.principal import Role
from proxy.errors import RulesError, SettingsError

ADA, ADA_TOKEN = new_account("ada", Role.OPERATOR)
EVE, EVE_TOKEN = new_account("eve", Role.VIEWER)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file of two accounts."""
    file = tmp_path / "accounts"
    file.write_text(f"# who\n\n{ADA}\n{EVE}\n")
    return file


@pytest.fixture
def accounts(file: Path) -> Accounts:
    """Give them, read."""
    accounts = Accounts(file)
    accounts.load()
    return accounts


def test_a_token_is_nowhere_but_in_the_hands_of_its_owner() -> None:
    """The file has an argon2id hash; the secret has 256 bits."""
    assert ADA.hash.startswith("$argon2id$")
    assert ADA_TOKEN.partition(".")[0] == "ada"
    assert len(ADA_TOKEN.partition(".")[2]) >= 43
    assert ADA_TOKEN not in str(ADA)
    assert new_account("ada", Role.OPERATOR)[1] != ADA_TOKEN


@pytest.mark.parametrize("name", ["", "a b", "a.b", "-a", "x" * 33, "ä", "a\n"])
def test_names_are_plain(name: str) -> None:
    """They stand in the journal, and before the dot of a token."""
    with pytest.raises(SettingsError, match="no name"):
        new_account(name, Role.VIEWER)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bob operator", "is not NAME ROLE HASH"),
        (f"bob operator {ADA.hash} x", "is not NAME ROLE HASH"),
        (f"bob root {ADA.hash}", "'root' is no role; there are viewer, operator, admin"),
        (f"b.b admin {ADA.hash}", "is no name"),
        (f"ada admin {ADA.hash}", "ada stands here twice"),
        ("bob admin s3cr3t-t0ken", "was a token written here"),
    ],
)
def test_a_mistake_is_told_with_its_line(file: Path, line: str, words: str) -> None:
    """And a token that somebody wrote there is not shown."""
    with pytest.raises(RulesError) as caught:
        read_accounts(f"{file.read_text()}{line}\n", "accounts")
    assert f"accounts:5:1: {words}" in str(caught.value) or words in str(caught.value)
    assert "accounts:5:1" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


async def test_the_right_token_is_known_the_second_time(accounts: Accounts) -> None:
    """The slow hash is for the first time only."""
    assert accounts.known(ADA_TOKEN) is None
    assert await accounts.verify(ADA_TOKEN) == ADA
    assert accounts.known(ADA_TOKEN) == ADA


@pytest.mark.parametrize(
    "token",
    [ADA_TOKEN[:-1], ADA_TOKEN + "x", "ada.", "ada", "", "bob." + ADA_TOKEN[4:],
     "eve" + ADA_TOKEN[3:], "x" * 100_000, "ada.\0", "ada.\ud800"],
)  # fmt: skip
async def test_any_other_token_is_not_right(accounts: Accounts, token: str) -> None:
    """Whatever it looks like, and it is never remembered."""
    assert await accounts.verify(token) is None
    assert accounts.known(token) is None


async def test_a_changed_file_counts_at_once(accounts: Accounts, file: Path) -> None:
    """Another role, and an account that is gone: also for a token that was known."""
    await accounts.verify(ADA_TOKEN)
    await accounts.verify(EVE_TOKEN)
    file.write_text(str(ADA).replace("operator", "viewer") + "\n")
    accounts.refresh()
    assert accounts.known(EVE_TOKEN) is None
    assert await accounts.verify(EVE_TOKEN) is None
    found = await accounts.verify(ADA_TOKEN)
    assert found is not None
    assert found.role is Role.VIEWER


@pytest.mark.parametrize("content", ["bob root x\n", None])
async def test_a_broken_file_leaves_those_who_were_there(
    accounts: Accounts, file: Path, content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once, not at each request; mended, it counts again."""
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    for _ in range(3):
        accounts.refresh()
    assert await accounts.verify(ADA_TOKEN) == ADA
    assert caplog.text.count("the accounts stay as they were") == 1
    file.write_text(f"{EVE}\n")
    accounts.refresh()
    assert await accounts.verify(ADA_TOKEN) is None


def test_a_file_that_cannot_be_used_is_refused_at_the_start(tmp_path: Path) -> None:
    """Not there, no text, far too large."""
    for name, content in (("gone", None), ("binary", b"\xff"), ("large", b"#" * 2_000_000)):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SettingsError, match=f"--auth .*{name}"):
            Accounts(path).load()
