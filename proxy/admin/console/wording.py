"""Numbers as people read them: always with a unit, never rounded into something untrue."""

from __future__ import annotations

from datetime import UTC, datetime

NOTHING = "\N{EN DASH}"
"""What stands where there was nothing to measure; never a zero."""

_PERCENT_STEPS = ((0.1, 1), (0.001, 2))
_AGES = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def weight(hundredths: int | None) -> str:
    """Give a weight in hundredths of a percent exactly: 1000 is `10%`, 1050 is `10.5%`."""
    if hundredths is None:
        return NOTHING
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".") + "%"


def percent(fraction: float | None) -> str:
    """Give a fraction as a percentage; 0% and 100% mean exactly none and exactly all."""
    if fraction is None:
        return NOTHING
    if fraction in (0.0, 1.0):
        return f"{fraction:.0%}"
    if 0.0 < fraction < 0.0001:
        return "<0.01%"
    if 0.9999 < fraction < 1.0:
        return ">99.99%"
    digits = next((digits for above, digits in _PERCENT_STEPS if _middling(fraction, above)), 2)
    return _trim(f"{fraction * 100:.{digits}f}") + "%"


def latency(seconds: float | None) -> str:
    """Give a duration of an answer with three significant digits: `0.8 ms`, `143 ms`, `1.43 s`."""
    if seconds is None:
        return NOTHING
    millis = seconds * 1000
    if millis < 10:
        return f"{millis:.1f} ms"
    if millis < 999.5:
        return f"{millis:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def rate(per_second: float) -> str:
    """Give a rate of requests: `0/s`, `0.4/s`, `1,240/s`."""
    if per_second == 0:
        return "0/s"
    if per_second < 0.05:
        return "<0.1/s"
    return f"{per_second:.1f}/s" if per_second < 100 else f"{per_second:,.0f}/s"


def count(number: int) -> str:
    """Give a whole number with thousands apart."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """Give a counted noun: `1 route`, `2 routes`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def size(number: int) -> str:
    """Give a number of bytes in the unit that suits it: `812 B`, `40 KiB`, `1.5 GiB`."""
    if number < 1024:
        return f"{number} B"
    amount, unit = number / 1024, "KiB"
    for larger in ("MiB", "GiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{_trim(f'{amount:.1f}') if amount < 10 else f'{amount:,.0f}'} {unit}"


def duration(seconds: float) -> str:
    """Give a length of time in its largest whole unit: `60 s`, `10 min`, `2 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"


def ago(at: float, now: float) -> str:
    """Give a point in time relative to now: `now`, `12 s ago`, `in 8 min`."""
    distance = abs(now - at)
    for size, unit in _AGES:
        if distance >= size:
            length = f"{distance / size:.0f} {unit}"
            return f"{length} ago" if at <= now else f"in {length}"
    return "now"


def utc(at: float) -> str:
    """Give a point in time exactly, as `2026-11-23 16:40:12 UTC`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(at: float) -> str:
    """Give the time of the day, as `16:40:12`."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def day(at: float) -> str:
    """Give the day, as `Monday, 23 November 2026`."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%A}, {moment.day} {moment:%B %Y}"


def iso(at: float) -> str:
    """Give a point in time for machines and for copying, as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _middling(fraction: float, above: float) -> bool:
    """Whether a fraction is at least `above` away from both ends, where rounding would lie."""
    return above <= fraction <= 1 - above


def _trim(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits
