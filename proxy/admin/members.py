"""A strict reader of one JSON object that collects everything that is wrong with it."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import orjson

from proxy.admin.principal import current
from proxy.admin.problems import Problem, ProblemError
from proxy.routing.rules import WEIGHT_MAX

REASON_MAX = 500
AUTHOR_MAX = 80

_WEIGHT = re.compile(r"(\d{1,3}(?:\.\d{1,2})?) ?%?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing wrong with a request: the member or parameter, what, and how to mend it."""

    where: str
    detail: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.detail}{'. ' + self.mend if self.mend else ''}"


def raise_for(troubles: list[Trouble]) -> None:
    """Raise one Problem that lists all of them, if there are any."""
    if troubles:
        plain = [{"where": t.where, "detail": t.detail, "mend": t.mend} for t in troubles]
        detail = "; ".join(f"{t.where}: {t.detail}" for t in troubles)
        mend = " ".join(t.mend for t in troubles if t.mend)
        raise ProblemError(Problem(422, "invalid-request", detail, mend, {"problems": plain}))


def parse_weight(text: str) -> int | None:
    """Read a percentage such as `10`, `10%` or `12.5%` as hundredths, or None if it is not one."""
    matched = _WEIGHT.fullmatch(text.strip())
    hundredths = int(Decimal(matched[1]) * 100) if matched else -1
    return hundredths if 0 <= hundredths <= WEIGHT_MAX else None


def parse_day(text: str) -> date | None:
    """Read a date such as 2027-03-01, or give None if it is not one."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def sentence_trouble(where: str, text: str, longest: int) -> Trouble | None:
    """Say what keeps this text from going on record, or None.

    Characters that cannot be seen are refused: a newline forges a line of a log, and an override of
    the writing direction makes a journal say something else than it holds.
    """
    if not text.strip():
        return Trouble(where, "is empty", "Say in a few words why; it goes on record.")
    if len(text) > longest:
        return Trouble(where, f"has {len(text)} characters; {longest} are the most")
    if any(unicodedata.category(char) in _UNSEEN for char in text):
        return Trouble(where, "holds control or invisible characters", "Type it again.")
    return None


class Members:
    """The members of a JSON object; leaving the `with` block raises what was found wrong."""

    def __init__(self, body: bytes, known: tuple[str, ...]) -> None:
        self.troubles: list[Trouble] = []
        self._values = _parse(body)
        self.troubles.extend(
            Trouble(name, "is not a member this request has", _suggest(name, known))
            for name in self._values
            if name not in known
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            raise_for(self.troubles)

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        """Read a string."""
        value = self._values.get(name)
        if value is None:
            if required:
                self.troubles.append(Trouble(name, "is missing"))
            return default
        if not isinstance(value, str):
            self.troubles.append(Trouble(name, "must be a string"))
            return default
        return value

    def reason(self) -> str:
        """Read why the change is made; it is always asked for."""
        return self._sentence("reason", "", REASON_MAX)

    def author(self) -> str:
        """Read who makes the change: the account, and for whom; `api` when nobody is named."""
        principal = current()
        return principal.signs(self._sentence("author", principal.name or "api", AUTHOR_MAX))

    def weight(self, name: str, *, required: bool = False) -> int | None:
        """Read a percentage, as a number or as text, in hundredths of a percent."""
        value = self._values.get(name)
        if value is None and not required:
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        weight = parse_weight(str(value)) if number or isinstance(value, str) else None
        if weight is None:
            mend = 'Write 10, 12.5 or "10%", from 0 to 100 with at most two decimals.'
            self.troubles.append(Trouble(name, "is not a percentage", mend))
        return weight

    def day(self, name: str) -> date:
        """Read a date such as 2027-03-01; it is always asked for."""
        text = self.text(name, required=True)
        found = parse_day(text)
        if text and found is None:
            self.troubles.append(Trouble(name, f"{text!r} is not a date", "Write 2027-03-01."))
        return found or date.min

    def texts(self, name: str) -> tuple[str, ...]:
        """Read a list of strings; empty when it is not given."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.troubles.append(Trouble(name, "must be a list of strings"))
            return ()
        return tuple(value)

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Read a whole number within bounds."""
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            detail = f"is not a whole number from {lowest} to {highest}"
            self.troubles.append(Trouble(name, detail))
            return default
        return value

    def flag(self, name: str, *, required: bool = False) -> bool:
        """Read true or false; false when it is not given."""
        value = self._values.get(name)
        if not isinstance(value, bool) and (value is not None or required):
            self.troubles.append(Trouble(name, "must be true or false"))
        return value is True

    def headers(self, name: str) -> tuple[tuple[str, str], ...]:
        """Read an object whose values are strings or lists of strings, as pairs."""
        value = self._values.get(name)
        if value is None:
            return ()
        pairs = _pairs(value)
        if pairs is None:
            mend = 'Write {"Cookie": "a=1", "Accept": ["text/html", "*/*"]}.'
            self.troubles.append(Trouble(name, "must map names to values", mend))
        return pairs or ()

    def _sentence(self, name: str, default: str, longest: int) -> str:
        before = len(self.troubles)
        text = self.text(name, default)
        trouble = sentence_trouble(name, text, longest)
        if trouble is not None and len(self.troubles) == before:
            self.troubles.append(trouble)
        return text.strip()


def _parse(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        problem = Problem(400, "not-json", f"The body is not JSON: {error}")
        raise ProblemError(problem) from error
    if not isinstance(value, dict):
        problem = Problem(400, "not-json", "The body is JSON, but not an object.", "Write {…}.")
        raise ProblemError(problem)
    return value


def _suggest(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name[:80], known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."


def _pairs(value: Any) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(value, dict):
        return None
    pairs: list[tuple[str, str]] = []
    for name, given in value.items():
        values = given if isinstance(given, list) else [given]
        if not all(isinstance(one, str) for one in values):
            return None
        pairs.extend((name, one) for one in values)
    return tuple(pairs)
