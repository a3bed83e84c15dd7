import pytest

from proxy.admin.console import wording

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("hundredths", "text"),
    [(0, "0%"), (1000, "10%"), (1050, "10.5%"), (1, "0.01%"), (10_000, "100%"), (None, "–")],  # noqa: RUF001 - what is shown for nothing
)
def test_a_weight_is_given_exactly(hundredths: int | None, text: str) -> None:
    """A weight shows every hundredth of a percent it has, and no more digits."""
    assert wording.weight(hundredths) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (None, "–"),  # noqa: RUF001 - what is shown for nothing
        (0.0, "0%"),
        (1.0, "100%"),
        (0.00001, "<0.01%"),
        (0.99999, ">99.99%"),
        (0.0052, "0.52%"),
        (0.125, "12.5%"),
        (0.5, "50%"),
        (0.9882, "98.82%"),
        (0.9996, "99.96%"),
    ],
)
def test_a_share_is_never_rounded_into_none_or_all(fraction: float | None, text: str) -> None:
    """0% means none and 100% means all; whatever lies between says so."""
    assert wording.percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.0008, "0.8 ms"), (0.143, "143 ms"), (0.9999, "1.00 s"), (12.04, "12.0 s")],  # noqa: RUF001 - what is shown for nothing
)
def test_a_latency_carries_its_unit(seconds: float | None, text: str) -> None:
    """Latencies are in milliseconds below one second and in seconds above."""
    assert wording.latency(seconds) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [(0.0, "0/s"), (0.01, "<0.1/s"), (0.4, "0.4/s"), (12.44, "12.4/s"), (1240.0, "1,240/s")],
)
def test_a_rate_keeps_traffic_apart_from_no_traffic(per_second: float, text: str) -> None:
    """Little traffic is never shown as none."""
    assert wording.rate(per_second) == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOW, "now"),
        (NOW - 12, "12 s ago"),
        (NOW - 240, "4 min ago"),
        (NOW - 7_200, "2 h ago"),
        (NOW - 3 * 86_400, "3 d ago"),
        (NOW + 480, "in 8 min"),
    ],
)
def test_a_time_is_told_relative_to_now(at: float, text: str) -> None:
    """Past and future are told apart."""
    assert wording.ago(at, NOW) == text


def test_an_exact_time_names_its_zone() -> None:
    """The exact time is in UTC, for people and for machines."""
    assert wording.utc(0.0) == "1970-01-01 00:00:00 UTC"
    assert wording.iso(0.25) == "1970-01-01T00:00:00.250Z"


@pytest.mark.parametrize(
    ("seconds", "text"), [(60, "60 s"), (600, "10 min"), (7_200, "2 h"), (172_800, "2 d")]
)
def test_a_length_of_time_is_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    """Windows and cool-downs read as they are written in the rules."""
    assert wording.duration(seconds) == text


def test_a_counted_noun_agrees_with_its_number() -> None:
    """One is singular, everything else plural, thousands are apart."""
    assert wording.plural(1, "route") == "1 route"
    assert wording.plural(0, "route") == "0 routes"
    assert wording.plural(1200, "request") == "1,200 requests"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (268_435_456, "256 MiB"),
        (3 * 2**30 // 2, "1.5 GiB"),
        (5000 * 2**30, "5,000 GiB"),
    ],
)
def test_sizes_have_the_unit_that_suits_them(number: int, text: str) -> None:
    """With one digit behind the point where it tells something."""
    assert wording.size(number) == text
