"""Telling what has happened: take an event, send its mail, write that it was told, commit.

Killed between the mail and the commit it sends the mail again: at least once, with one Message-ID.
"""

from modern.events.domain import Event, next_try
from modern.events.mails import mail_of
from modern.events.repository import EventRepository
from modern.infra.logging import get_logger
from modern.infra.mail import MailDelayedError, MailServer, UndeliverableError
from modern.infra.resources import Resources
from modern.users.repository import UserRepository

_log = get_logger(__name__)


async def tell_all(held: Resources) -> int:
    """Tell everything that is due, and return how much that was; nothing without a mail server."""
    count = 0
    if held.mail_server is not None:
        while await tell_next(held, held.mail_server):
            count += 1
    return count


async def tell_next(held: Resources, server: MailServer) -> bool:
    """Tell the event that has waited longest; False when none waits."""
    async with held.database.writing() as connection:
        events = EventRepository(connection)
        event = await events.take(held.now())
        if event is None:
            return False
        user = await UserRepository(connection).find(event.payload["user_id"])
        try:
            if user is not None:
                await server.send(mail_of(event, user, held.settings.mail_from))
        except (UndeliverableError, ValueError) as error:
            _log.warning("mail.undeliverable", number=event.id, error=str(error))
            await events.told(event.id, held.now(), str(error))
        except MailDelayedError as error:
            _log.warning("mail.delayed", number=event.id, tries=event.tries, error=str(error))
            await _postpone(events, event, held, str(error))
        else:
            await events.told(event.id, held.now())
    return True


async def _postpone(events: EventRepository, event: Event, held: Resources, why: str) -> None:
    now = held.now()
    await events.postpone(event.id, event.tries + 1, next_try(event.tries, now), why)
