"""The card processor for tests: an account of one's own at a running one, and what it was asked."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

from deploy.processor.app import JOURNAL, read_journal
from deploy.processor.ledger import Asked, Ledger
from deploy.stack.processor import Account, Processor


@dataclass(frozen=True)
class OwnAccount:
    """An account that nobody else uses."""

    server: Processor
    name: str

    @property
    def account(self) -> Account:
        """Where it is asked, and with which key."""
        return self.server.account(self.name, "s3cret")

    def asked(self) -> list[Asked]:
        """Return what was asked in its name, in that order."""
        journal = read_journal(self.server.folder / JOURNAL)
        return [each for each in journal if each.caller == self.name]

    def taken(self) -> list[tuple[str, int]]:
        """Return what each card was charged, each charge once, in hundredths."""
        ledger, seen, found = Ledger(), set[str](), list[tuple[str, int]]()
        for each in self.asked():
            reply = ledger.ask(each)
            if each.path == "/v1/charges" and reply.status == 200 and each.key not in seen:
                found.append((each.form["source"], reply.body["amount"]))
                seen.add(each.key)
        return found


def own_account(server: Processor) -> OwnAccount:
    """Open an account at a running processor."""
    letters = random.SystemRandom().choices(string.ascii_lowercase, k=16)
    return OwnAccount(server, "".join(letters))
