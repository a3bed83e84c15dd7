from __future__ import annotations

import pytest

from deploy.mailbox.conversation import MAIL_MAX, Conversation, Mail


def talk(*lines: bytes) -> tuple[list[bytes], list[Mail], Conversation]:
    """Say these lines; gives the codes of the replies, the mails, and the conversation."""
    conversation, codes, mails = Conversation(), list[bytes](), list[Mail]()
    for line in lines:
        reply, mail = conversation.hear(line + b"\r\n")
        codes += [reply[:3]] if reply else []
        mails += [mail] if mail else []
    return codes, mails, conversation


def test_a_mail() -> None:
    """Envelope and content arrive, and a dot at the start of a line is one again."""
    codes, mails, conversation = talk(
        b"EHLO shop", b"MAIL FROM:<a@example.com> BODY=8BITMIME", b"RCPT TO:<b@example.com>",
        b"rcpt to: <c@example.com>", b"DATA", b"Subject: Hi", b"", b"..", b".", b"QUIT",
    )  # fmt: skip
    assert codes == [b"250", b"250", b"250", b"250", b"354", b"250", b"221"]
    recipients = ("b@example.com", "c@example.com")
    assert mails == [Mail("a@example.com", recipients, b"Subject: Hi\r\n\r\n.\r\n")]
    assert conversation.ended


def test_two_mails_in_one_conversation() -> None:
    """The second begins with nothing of the first."""
    one = (b"MAIL FROM:<>", b"RCPT TO:<b@example.com>", b"DATA", b"x", b".")
    _, mails, _ = talk(*one, *one, b"RSET", b"NOOP")
    assert [mail.recipients for mail in mails] == [("b@example.com",)] * 2


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        ((b"RCPT TO:<b@example.com>",), b"503"),
        ((b"DATA",), b"503"),
        ((b"MAIL FROM:nobody",), b"501"),
        ((b"MAIL FROM:<a@b.c>", b"RCPT TO:<bounce@example.com>"), b"550"),
        ((b"MAIL FROM:<a@b.c>", b"RCPT TO:<busy@example.com>"), b"451"),
        ((b"MAIL FROM:<a@b.c>", b"RCPT TO:<bounce@example.com>", b"DATA"), b"503"),
        ((b"VRFY someone",), b"502"),
        ((b"",), b"502"),
    ],
)
def test_what_is_refused(lines: tuple[bytes, ...], last: bytes) -> None:
    """Out of order, not understood, and the mailboxes that always or for now refuse."""
    codes, mails, _ = talk(*lines)
    assert (codes[-1], mails) == (last, [])


def test_a_mail_that_is_too_large() -> None:
    """It is refused at its end, and nothing of it is kept."""
    line = b"x" * 1000
    lines = (line,) * (MAIL_MAX // len(line) + 1)
    codes, mails, _ = talk(b"MAIL FROM:<a@b.c>", b"RCPT TO:<b@b.c>", b"DATA", *lines, b".")
    assert (codes[-1], mails) == (b"552", [])
