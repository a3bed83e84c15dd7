"""The supervisor: what is refused at a start, and who keeps whom alive."""

from __future__ import annotations

import os
from functools import partial

import orjson

from proxy.admin.accounts import Accounts
from proxy.bootstrap.children import children
from proxy.bootstrap.data_plane import patience
from proxy.bootstrap.logs import log, log_to_stderr
from proxy.bootstrap.paths import StatePaths
from proxy.clock import SystemClock
from proxy.control.alerts.file import load_alerting
from proxy.control.loader import RulesFile
from proxy.errors import CutoverError, SettingsError
from proxy.serving.claims import Claims, Papers
from proxy.serving.estate import Estate
from proxy.serving.inheritance import Inheritance, Word, inheritance
from proxy.serving.notify import Notifier
from proxy.serving.supervisor import Supervisor
from proxy.settings import ROLES, ServeSettings
from proxy.snapshot import Snapshot


def serve(settings: ServeSettings, told: str = "") -> int:
    """Start what the role asks for and keep it alive until a signal; gives the exit status.

    `told` is a first sentence for the log, of how the code itself has been loaded.

    Raises SettingsError when an address or the state directory cannot be used, and RulesError for
    rules that are refused: at a first start, and when it is to succeed a running `cutover serve`,
    which is told, and goes on.
    """
    log_to_stderr()
    if told:
        log.info("%s", told)
    inherited = inheritance(os.environ)
    try:
        supervisor = _supervisor(settings, inherited)
    except CutoverError as error:
        if inherited is not None:
            inherited.channel.say(Word.FAILED, str(error))
        raise
    return supervisor.run()


def _supervisor(settings: ServeSettings, inherited: Inheritance | None) -> Supervisor:
    paths = StatePaths(settings.state)
    paths.make()
    if settings.alerts is not None:
        load_alerting(settings.alerts)  # what is wrong with it is told before anything starts
    if settings.auth is not None:
        Accounts(settings.auth).load()
    claims = Claims(paths.state, ROLES[1:] if settings.role == "all" else (settings.role,))
    if inherited is None:
        claims.claim()
        _check_first_rules(settings, paths)
    else:
        _check_as_successor(settings, paths)
    estate = Estate(
        claims=claims,
        papers=Papers(paths.state, settings.role),
        notifier=Notifier(os.environ),
        kill=partial(paths.kill_file.turn_on, "SIGUSR1", "sent to the supervisor"),
        generation=1 if inherited is None else inherited.generation,
    )
    family = children(settings, paths, estate, inherited)
    if inherited is not None:
        inherited.close_rest()
    return Supervisor(family, patience(settings), estate, inherited)


def _check_first_rules(settings: ServeSettings, paths: StatePaths) -> None:
    """Refuse to start with bad rules; a later start has the last good ones to go on with."""
    if settings.role in ("all", "controller") and not paths.snapshot.exists():
        RulesFile(settings.rules, SystemClock()).load()


def _check_as_successor(settings: ServeSettings, paths: StatePaths) -> None:
    """Refuse to succeed with rules that this version does not take, whoever took them before."""
    if settings.role in ("all", "controller"):
        RulesFile(settings.rules, SystemClock()).load()
    if settings.role in ("all", "data-plane") and paths.snapshot.exists():
        try:
            Snapshot.from_wire(orjson.loads(paths.snapshot.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"{paths.snapshot}: this version cannot serve by it: {error}"
            ) from error
