"""Handing mails over by SMTP; in a dry run they are recorded instead."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

from shadow_compare.dry_run import recorded

TIMEOUT_SECONDS: Final = 10.0
_PERMANENT: Final = range(500, 600)


class UndeliverableError(Exception):
    """The mail server refuses this mail for ever; the text is its reason."""


class MailDelayedError(Exception):
    """The mail could not be handed over now; the text says why."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed over: smtp:// (STARTTLS when it is offered) or smtps://."""

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = ""

    async def send(self, mail: EmailMessage) -> None:
        """Hand a mail over, in a thread; raises UndeliverableError and MailDelayedError."""
        if recorded("mail", to=mail["To"], subject=mail["Subject"]):
            return
        await asyncio.to_thread(self._send, mail)

    def _send(self, mail: EmailMessage) -> None:
        try:
            with self._connected() as server:
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise _refusal(code, text) from error
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailDelayedError(repr(error)) from error

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
        if self.user:
            server.login(self.user, self.password)
        return server


def mail_server(url: str) -> MailServer:
    """Return the server that a URL names; raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError("must look like smtp://user:password@host:port, or smtps://...")
    tls = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname,
        port=parts.port or (465 if tls else 587),
        tls=tls,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _refusal(code: int, text: bytes | str) -> Exception:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    kind = UndeliverableError if code in _PERMANENT else MailDelayedError
    return kind(f"{code} {said}")
