import pytest

from modern.infra.mail import MailServer, mail_server
from modern.infra.mail import _refusal as refusal


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail:8025", MailServer("mail", 8025)),
        ("smtp://mail", MailServer("mail", 587)),
        ("smtps://mail", MailServer("mail", 465, tls=True)),
        ("smtp://shop:p%40ss@mail:25", MailServer("mail", 25, user="shop", password="p@ss")),
    ],
)
def test_a_server_by_its_url(url: str, server: MailServer) -> None:
    """Ports are the usual ones, and a password may hold any character."""
    assert mail_server(url) == server


@pytest.mark.parametrize(
    ("code", "kind"),
    [(550, "UndeliverableError"), (451, "MailDelayedError"), (421, "MailDelayedError")],
)
def test_what_a_refusal_means(code: int, kind: str) -> None:
    """5xx is for ever, everything else for now (RFC 5321, 4.2.1)."""
    error = refusal(code, b"no such mailbox")
    assert (type(error).__name__, str(error)) == (kind, f"{code} no such mailbox")
