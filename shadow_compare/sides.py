"""Both sides as the worker meets them: asked in their own words, heard in the client's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from shadow_compare.allowance import Allowance
from shadow_compare.asking import Asker, Seal
from shadow_compare.capture import Capture
from shadow_compare.config import LEGACY, MODERN, ShadowConfig, ShadowSettings
from shadow_compare.correspondence import Correspondence
from shadow_compare.normalize import Answer, NotComparableError
from shadow_compare.traced import Tell
from shadow_compare.translate import Translated, Translation, translated


class Heard(NamedTuple):
    """A side's answer as a client would get it, its latency in seconds, and what asking needed.

    `fired` names a rule once for each id that it translated.
    """

    answer: Answer
    latency: float
    fired: tuple[str, ...] = ()


class Sides:
    """Asks either side, with a pool and limits for each; `close` gives up the connections.

    Ids in a request are translated by the `pairs` that are known when it is asked. `tell` hears of
    requests that repeat a traced exchange.
    """

    def __init__(
        self,
        settings: ShadowSettings,
        pairs: Correspondence,
        monotonic: Callable[[], float],
        tell: Tell | None = None,
    ) -> None:
        self._pairs = pairs
        self._askers = {side: Asker(settings, monotonic, side, tell) for side in (LEGACY, MODERN)}
        self._monotonic = monotonic
        self._legacy_rate: float | None = None
        self._legacy: Allowance | None = None

    async def ask(
        self,
        side: str,
        capture: Capture,
        config: ShadowConfig,
        places: tuple[Translation, ...] | None = None,
    ) -> Heard:
        """Put the captured request to a side. Raises NotComparableError.

        `places` are where it has ids, if not where the requests of its route have them.
        """
        asked = self._in_words_of(side, capture, config, places)
        if side == LEGACY and self._legacy is not None and not self._legacy.take():
            raise NotComparableError("legacy_rate")
        where = config.sides.get(side)
        answer, latency = await self._askers[side].ask(asked.capture, where)
        return Heard(_as_heard(answer, side, capture, config), latency, asked.fired)

    def check(self, side: str, capture: Capture, config: ShadowConfig) -> None:
        """Raise NotComparableError if a side could not be asked this; nothing is sent."""
        self._in_words_of(side, capture, config)

    async def ask_to_write(self, capture: Capture, config: ShadowConfig, seal: Seal) -> Heard:
        """Put a captured write to modern, once; legacy is never asked.

        Raises NotComparableError when nothing was sent, and NotAcknowledgedError.
        """
        asked = self._in_words_of(MODERN, capture, config)
        asker, where = self._askers[MODERN], config.sides.get(MODERN)
        answer, latency = await asker.ask_to_write(asked.capture, where, seal)
        return Heard(_as_heard(answer, MODERN, capture, config), latency, asked.fired)

    def limit_legacy(self, rate: float | None) -> None:
        """Ask legacy no more than so many times a second, whatever for; None is no limit."""
        if rate != self._legacy_rate:
            self._legacy_rate = rate
            self._legacy = None if rate is None else Allowance(rate, self._monotonic)

    def close(self) -> None:
        """Close every connection."""
        for asker in self._askers.values():
            asker.close()

    def _in_words_of(
        self,
        side: str,
        capture: Capture,
        config: ShadowConfig,
        places: tuple[Translation, ...] | None = None,
    ) -> Translated:
        """Give the capture as this side is asked: by its names, and then by its paths."""
        if places is None:
            rules = config.routes.get(capture.route)
            places = rules.translate if rules else ()
        asked = translated(capture, side, places, self._pairs)
        rewrite = config.rewrites.get((capture.route, side))
        if rewrite is None:
            return asked
        target, headers = rewrite.request(asked.capture.target, capture.request_headers)
        rewritten = replace(asked.capture, target=target, request_headers=headers)
        return replace(asked, capture=rewritten)


def _as_heard(answer: Answer, side: str, capture: Capture, config: ShadowConfig) -> Answer:
    """Give a side's answer as a client would get it."""
    rewrite = config.rewrites.get((capture.route, side))
    if rewrite is None:
        return answer
    return answer.having(rewrite.answer(answer.headers, _host(capture)))


def as_seen(capture: Capture, config: ShadowConfig) -> Capture:
    """Give the capture with the primary's answer as the client got it."""
    rewrite = config.rewrites.get((capture.route, capture.primary))
    if rewrite is None:
        return capture
    return replace(capture, headers=rewrite.answer(capture.headers, _host(capture)))


def answered(capture: Capture, heard: Heard) -> Capture:
    """Give the capture of a request to which this is the primary's answer."""
    answer = heard.answer
    return replace(
        capture,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        truncated=answer.truncated,
        latency=heard.latency,
    )


def other(side: str) -> str:
    """Give the side that this one is compared with."""
    return MODERN if side == LEGACY else LEGACY


def _host(capture: Capture) -> str:
    return next((value for name, value in capture.request_headers if name == "host"), "")
