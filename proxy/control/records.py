"""Versions and decisions as JSON-able values, for the database and for the snapshot file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from proxy.control.status import DecisionRecord, Rollback, VersionRecord, WriteHalt
from proxy.rollout.plan import Hand, Progress


def version_to_plain(record: VersionRecord) -> dict[str, Any]:
    """Give a version as JSON-able values."""
    return {**asdict(record), "rolled_back": list(record.rolled_back)}


def version_from_plain(data: dict[str, Any]) -> VersionRecord:
    """Read what `version_to_plain` gave; raises KeyError, TypeError or ValueError."""
    rollbacks = {route: _rollback(plain) for route, plain in data["rollbacks"].items()}
    # A record that was made before writes were mirrored tells of none.
    halts = {route: WriteHalt(**plain) for route, plain in data.get("write_halts", {}).items()}
    progress = {route: _progress(plain) for route, plain in data.get("progress", {}).items()}
    return VersionRecord(
        **{
            **data,
            "rolled_back": tuple(data["rolled_back"]),
            "rollbacks": rollbacks,
            "write_halts": halts,
            "progress": progress,
        }
    )


def _rollback(plain: dict[str, Any]) -> Rollback:
    """Read a rollback; one made before plans ran by themselves tells only when it has cooled."""
    length = max(0.0, plain["cooldown_until"] - plain["at"])
    return Rollback(**{"cooldown": length, **plain})


def _progress(plain: dict[str, Any]) -> Progress:
    hands = {name: _hand(plain[name]) for name in ("held", "approved")}
    return Progress(**{**plain, **hands})


def _hand(plain: dict[str, Any] | None) -> Hand | None:
    return None if plain is None else Hand(**plain)


def decision_to_plain(record: DecisionRecord) -> dict[str, Any]:
    """Give a decision as JSON-able values."""
    return asdict(record)


def decision_from_plain(data: dict[str, Any]) -> DecisionRecord:
    """Read what `decision_to_plain` gave; raises TypeError."""
    return DecisionRecord(**data)
