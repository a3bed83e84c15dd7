"""The conversation over TCP: a file for each mail, there before the client is told so."""

from __future__ import annotations

import asyncio
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from itertools import count
from pathlib import Path

from deploy.mailbox.conversation import GREETING, Conversation, Mail


async def start(port: int, folder: Path, host: str = "127.0.0.1") -> asyncio.Server:
    """Take mails on the port (0: any); raises OSError."""
    numbers = count(len(mails(folder)) + 1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation()
        writer.write(GREETING)
        try:
            while not conversation.ended and (line := await reader.readline()):
                reply, mail = conversation.hear(line)
                if mail is not None:
                    _keep(folder, next(numbers), mail)
                writer.write(reply)
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # the client is gone, or its line has no end: there is nobody to tell
        finally:
            writer.close()

    return await asyncio.start_server(talk, host, port)


def mails(folder: Path) -> list[EmailMessage]:
    """Return the mails that were taken, in their order."""
    parser = BytesParser(policy=policy.default)
    paths = sorted(folder.glob("*.eml"), key=lambda path: int(path.stem))
    return [parser.parsebytes(path.read_bytes()) for path in paths]


def _keep(folder: Path, number: int, mail: Mail) -> None:
    envelope = f"X-Envelope-To: {', '.join(mail.recipients)}\r\n".encode()
    draft = folder / f"{number}.new"
    draft.write_bytes(envelope + mail.content)
    draft.rename(folder / f"{number}.eml")
