"""Versions and decisions as JSON-able values, for the database and for the snapshot file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from proxy.control.status import DecisionRecord, Rollback, VersionRecord, WriteHalt


def version_to_plain(record: VersionRecord) -> dict[str, Any]:
    """Give a version as JSON-able values."""
    return {**asdict(record), "rolled_back": list(record.rolled_back)}


def version_from_plain(data: dict[str, Any]) -> VersionRecord:
    """Read what `version_to_plain` gave; raises KeyError, TypeError or ValueError."""
    rollbacks = {route: Rollback(**plain) for route, plain in data["rollbacks"].items()}
    # A record that was made before writes were mirrored tells of none.
    halts = {route: WriteHalt(**plain) for route, plain in data.get("write_halts", {}).items()}
    return VersionRecord(
        **{
            **data,
            "rolled_back": tuple(data["rolled_back"]),
            "rollbacks": rollbacks,
            "write_halts": halts,
        }
    )


def decision_to_plain(record: DecisionRecord) -> dict[str, Any]:
    """Give a decision as JSON-able values."""
    return asdict(record)


def decision_from_plain(data: dict[str, Any]) -> DecisionRecord:
    """Read what `decision_to_plain` gave; raises TypeError."""
    return DecisionRecord(**data)
