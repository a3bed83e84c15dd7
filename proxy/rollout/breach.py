"""What a detector has found, in numbers for the record and in one sentence for an operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from proxy.rollout.mixture import ROLLBACK_AT


class Verdict(StrEnum):
    """ADVANCE and ROLLBACK need evidence; everything else is HOLD."""

    ADVANCE = "ADVANCE"
    HOLD = "HOLD"
    ROLLBACK = "ROLLBACK"


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was passed: by which measure, how far, and on how many events.

    `value` and `bound` are fractions, seconds (p95), customers (critical) or accumulated evidence;
    `window` is seconds. `verdict` is what the detector asks for: HOLD when it is not sure enough,
    or when legacy is as sick. `details` are further numbers, by name.
    """

    detector: str
    value: float
    bound: float
    n: int
    window: float
    verdict: Verdict = Verdict.ROLLBACK
    details: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = _SENTENCES.get(self.detector, _other)(self)
        legacy = self.details.get("legacy")
        return f"{told}; but {legacy}, so nothing proves that modern is worse" if legacy else told

    @classmethod
    def of_evidence(cls, evidence: Mapping[str, Any]) -> Breach | None:
        """Read back what `evidence` gave, as far as it is complete; None when it is not."""
        known = {"detector": str, "value": int | float, "bound": int | float, "n": int}
        if not all(
            isinstance(evidence.get(name), kind) and not isinstance(evidence.get(name), bool)
            for name, kind in known.items()
        ):
            return None
        window = evidence.get("window")
        return cls(
            detector=evidence["detector"],
            value=evidence["value"],
            bound=evidence["bound"],
            n=evidence["n"],
            window=window if isinstance(window, int | float) else 0.0,
            verdict=Verdict.HOLD if "legacy" in evidence else Verdict.ROLLBACK,
            details={name: value for name, value in evidence.items() if name not in known},
        )

    def evidence(self) -> dict[str, Any]:
        """As JSON-able values for the record of a decision."""
        return {
            "detector": self.detector,
            "value": self.value,
            "bound": self.bound,
            "n": self.n,
            "window": self.window,
            **self.details,
        }


def _error_rate(breach: Breach) -> str:
    return f"error rate of {breach.value:.1%} over {breach.n} requests is above {breach.bound:.2%}"


def _p95(breach: Breach) -> str:
    limit = f"{breach.bound * 1000:.0f} ms"
    return f"p95 of {breach.value * 1000:.0f} ms over {breach.n} requests is above {limit}"


def _mismatch_rate(breach: Breach) -> str:
    return f"{breach.value:.1%} of {breach.n} comparisons differ, more than {breach.bound:.2%}"


def _t1(breach: Breach) -> str:
    failed = _of(breach, "request", "to modern failed")
    return f"{failed}: {_proves(breach)} an error rate above the tolerated {_tolerated(breach)}"


def _t2(breach: Breach) -> str:
    share = breach.details.get("share", 0.0)
    failed = f"{breach.details.get('hits', breach.n)} of {breach.n} failures were modern's"
    return (
        f"{failed}, which has {share:.0%} of the requests: {_proves(breach)} that it fails more"
        " often than legacy"
    )


def _t3(breach: Breach) -> str:
    hits = breach.details.get("hits", breach.n)
    return (
        f"of {_many(breach.n, 'mirrored request')} that one side failed, modern failed {hits}:"
        f" {_proves(breach)} that it fails more often than legacy"
    )


def _t4(breach: Breach) -> str:
    differ = _of(breach, "comparison", "differ")
    return f"{differ}: {_proves(breach)} a mismatch rate above the tolerated {_tolerated(breach)}"


def _critical(breach: Breach) -> str:
    place = breach.details.get("place")
    where = f" ({place})" if place else ""
    many = _many(round(breach.value), "customer")
    return f"{many} got another answer where nothing may differ{where}"


def _t5(breach: Breach) -> str:
    limit = f"{breach.details.get('limit', 0.0) * 1000:.0f} ms"
    slow = _of(breach, "request", f"to modern took longer than {limit}")
    return (
        f"{slow}: {_proves(breach)} a share of slow ones above the tolerated {_tolerated(breach)}"
    )


def _denied(breach: Breach) -> str:
    denied = _of(breach, "request", "to modern were answered 401, 403, 419 or 422 since the step")
    return (
        f"{denied}: {_proves(breach)} more than the {_tolerated(breach)} before it;"
        " sessions may not carry over"
    )


def _other(breach: Breach) -> str:
    return f"{breach.detector} of {breach.value:g} over {breach.n} events is above {breach.bound:g}"


_SENTENCES = {
    "error_rate": _error_rate,
    "p95": _p95,
    "mismatch_rate": _mismatch_rate,
    "t1": _t1,
    "t2": _t2,
    "t3": _t3,
    "t4": _t4,
    "critical": _critical,
    "t5": _t5,
    "denied": _denied,
}
DETECTORS = frozenset(_SENTENCES)
"""The name of every detector that there is."""


def _of(breach: Breach, what: str, happened: str) -> str:
    """Say how many of the events spoke for it."""
    return f"{breach.details.get('hits', breach.n)} of {_many(breach.n, what)} {happened}"


def _proves(breach: Breach) -> str:
    """Say how sure that is."""
    if breach.verdict is Verdict.HOLD and breach.value < ROLLBACK_AT:
        return f"this speaks for (evidence {breach.value:.1e}, a rollback needs {ROLLBACK_AT:.0e})"
    return f"this proves (evidence {breach.value:.1e}, needed {breach.bound:.0e})"


def _tolerated(breach: Breach) -> str:
    return f"{breach.details.get('tolerated', 0.0):.1%}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
