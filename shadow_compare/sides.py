"""Both sides as the worker meets them: asked in their own words, heard in the client's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shadow_compare.allowance import Allowance
from shadow_compare.asking import Asker, Seal
from shadow_compare.capture import Capture
from shadow_compare.config import LEGACY, MODERN, ShadowConfig, ShadowSettings
from shadow_compare.normalize import Answer, NotComparableError


class Sides:
    """Asks either side, with a pool and limits for each; `close` gives up the connections."""

    def __init__(self, settings: ShadowSettings, monotonic: Callable[[], float]) -> None:
        self._askers = {side: Asker(settings, monotonic) for side in (LEGACY, MODERN)}
        self._monotonic = monotonic
        self._legacy_rate: float | None = None
        self._legacy: Allowance | None = None

    async def ask(self, side: str, capture: Capture, config: ShadowConfig) -> tuple[Answer, float]:
        """Put the captured request to a side; gives its answer as a client would get it.

        With it comes the latency in seconds. Raises NotComparableError.
        """
        if side == LEGACY and self._legacy is not None and not self._legacy.take():
            raise NotComparableError("legacy_rate")
        asked = _in_words_of(side, capture, config)
        answer, latency = await self._askers[side].ask(asked, config.sides.get(side))
        return _as_heard(answer, side, capture, config), latency

    async def ask_to_write(
        self, capture: Capture, config: ShadowConfig, seal: Seal
    ) -> tuple[Answer, float]:
        """Put a captured write to modern, once; legacy is never asked.

        Raises NotComparableError when nothing was sent, and NotAcknowledgedError.
        """
        asked = _in_words_of(MODERN, capture, config)
        asker, where = self._askers[MODERN], config.sides.get(MODERN)
        answer, latency = await asker.ask_to_write(asked, where, seal)
        return _as_heard(answer, MODERN, capture, config), latency

    def limit_legacy(self, rate: float | None) -> None:
        """Ask legacy no more than so many times a second, whatever for; None is no limit."""
        if rate != self._legacy_rate:
            self._legacy_rate = rate
            self._legacy = None if rate is None else Allowance(rate, self._monotonic)

    def close(self) -> None:
        """Close every connection."""
        for asker in self._askers.values():
            asker.close()


def _in_words_of(side: str, capture: Capture, config: ShadowConfig) -> Capture:
    """Give the capture as this side is asked."""
    rewrite = config.rewrites.get((capture.route, side))
    if rewrite is None:
        return capture
    target, headers = rewrite.request(capture.target, capture.request_headers)
    return replace(capture, target=target, request_headers=headers)


def _as_heard(answer: Answer, side: str, capture: Capture, config: ShadowConfig) -> Answer:
    """Give a side's answer as a client would get it."""
    rewrite = config.rewrites.get((capture.route, side))
    if rewrite is None:
        return answer
    return replace(answer, headers=rewrite.answer(answer.headers, _host(capture)))


def as_seen(capture: Capture, config: ShadowConfig) -> Capture:
    """Give the capture with the primary's answer as the client got it."""
    rewrite = config.rewrites.get((capture.route, capture.primary))
    if rewrite is None:
        return capture
    return replace(capture, headers=rewrite.answer(capture.headers, _host(capture)))


def other(side: str) -> str:
    """Give the side that this one is compared with."""
    return MODERN if side == LEGACY else LEGACY


def _host(capture: Capture) -> str:
    return next((value for name, value in capture.request_headers if name == "host"), "")
