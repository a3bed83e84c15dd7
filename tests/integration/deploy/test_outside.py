"""The processor and the mail server as processes, asked over the network."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from deploy.mailbox.server import mails
from deploy.processor.app import JOURNAL, read_journal
from deploy.stack.mail import Mail
from deploy.stack.ports import free_ports
from deploy.stack.processor import Processor


@pytest.fixture
def processor(tmp_path: Path) -> Iterator[Processor]:
    """Give a running processor."""
    server = Processor(tmp_path, free_ports(1)[0], tied=True)
    server.start()
    yield server
    server.stop()


def test_a_processor_that_was_killed_knows_all_it_knew(processor: Processor) -> None:
    """Charges, refunds and idempotency keys; and who asked is in the journal."""
    account = processor.account("shop", "secret")
    headers = {"Authorization": f"Bearer {account.key}", "Idempotency-Key": "a"}
    form = {"amount": "2900", "currency": "eur", "source": "tok_visa"}
    with httpx.Client(base_url=account.url, trust_env=False) as client:
        assert client.post("/v1/charges", data=form).status_code == 401
        first = client.post("/v1/charges", data=form, headers=headers).json()
        processor.kill()
        with (processor.folder / JOURNAL).open("a") as journal:
            journal.write('{"caller": "shop", "key": "half a line')
        processor.start()
        assert client.post("/v1/charges", data=form, headers=headers).json() == first
        headers["Idempotency-Key"] = "b"
        back = client.post("/v1/refunds", data={"charge": first["id"]}, headers=headers)
        assert back.json()["amount"] == 2900
        assert client.get(f"/v1/charges/{first['id']}").json()["amount_refunded"] == 2900
        assert client.get("/v1/charges/ch_99999999").status_code == 404
    asked = read_journal(processor.folder / JOURNAL)
    assert {(each.caller, each.key) for each in asked} <= {("shop", "a"), ("shop", "b")}


def test_a_mail_is_a_file(tmp_path: Path) -> None:
    """Handed over by the standard library, in two languages; also after a new start."""
    server = Mail(tmp_path, free_ports(1)[0], tied=True)
    server.start()
    for subject in ("Quittung für Zoë", "Receipt"):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", subject
        mail.set_content("29,00 €\n.\nEnd")
        with smtplib.SMTP(server.host, server.port) as client:
            client.send_message(mail)
        server.stop()
        server.start()
    server.stop()
    taken = mails(server.folder)
    assert [mail["Subject"] for mail in taken] == ["Quittung für Zoë", "Receipt"]
    assert taken[0].get_content().splitlines() == ["29,00 €", ".", "End"]
    assert taken[0]["X-Envelope-To"] == "b@example.com"
