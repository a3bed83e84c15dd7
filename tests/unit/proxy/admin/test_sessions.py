from __future__ import annotations

from proxy.admin.accounts import Account
from proxy.admin.principal import Role
from proxy.admin.sessions import IDLE, LONGEST, SESSIONS_MAX, Sessions

ADA = Account("ada", Role.OPERATOR, "$argon2id$…")


def test_a_session_lasts_while_it_is_used() -> None:
    """It ends after an hour without a request, and after twelve in any case."""
    sessions = Sessions()
    sessions.begin("s", ADA, 0.0)
    assert sessions.account("other", 1.0) is None
    now = 0.0
    while now + IDLE <= LONGEST:
        now += IDLE
        assert sessions.account("s", now) == ADA
    assert sessions.account("s", LONGEST + 1.0) is None
    sessions.begin("t", ADA, 0.0)
    assert sessions.account("t", IDLE + 1.0) is None
    assert sessions.account("t", 1.0) is None


def test_signing_out_ends_it() -> None:
    """And only this one."""
    sessions = Sessions()
    sessions.begin("s", ADA, 0.0)
    sessions.begin("t", ADA, 0.0)
    sessions.end("s")
    sessions.end("never begun")
    assert (sessions.account("s", 1.0), sessions.account("t", 1.0)) == (None, ADA)


def test_sessions_are_bounded_and_their_secrets_are_not_kept() -> None:
    """The one that was not used for longest makes room."""
    sessions = Sessions()
    for number in range(SESSIONS_MAX):
        sessions.begin(f"secret-{number}", ADA, float(number))
    assert sessions.account("secret-0", 1000.0) == ADA
    sessions.begin("one more", ADA, 1001.0)
    assert sessions.account("secret-1", 1001.0) is None
    assert sessions.account("secret-0", 1001.0) == ADA
    assert "secret" not in repr(list(sessions._sessions))
