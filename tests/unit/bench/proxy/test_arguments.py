from __future__ import annotations

import pytest

from bench.proxy.arguments import parse
from bench.proxy.workload import WORKLOADS


def test_without_options_it_is_short_and_has_everybody() -> None:
    """The workloads that the targets speak of, five rounds."""
    asked = parse([])
    assert [w.name for w in asked.workloads] == [w.name for w in WORKLOADS if w.quick]
    assert [p.name for p in asked.peers] == [
        "nginx", "haproxy", "envoy", "caddy", "aiohttp", "starlette",
    ]  # fmt: skip
    assert asked.rounds == 5


def test_all_means_all() -> None:
    """Every workload, with the peers' routes."""
    asked = parse(["--all"])
    assert asked.workloads == WORKLOADS
    assert asked.explicit


def test_peers_can_be_chosen_and_left_out() -> None:
    """In the order of the table; an empty list means ours alone."""
    assert [p.name for p in parse(["--peers", "envoy,nginx"]).peers] == ["nginx", "envoy"]
    assert parse(["--peers", ""]).peers == ()


@pytest.mark.parametrize(
    "argv",
    [["--peers", "ngnix"], ["--workload", "gets"], ["--rounds", "0"], ["--seconds", "x"], ["x"]],
)
def test_a_slip_of_the_pen_is_told(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is started."""
    with pytest.raises(SystemExit) as end:
        parse(argv)
    assert end.value.code == 2
    assert argv[-1] in capsys.readouterr().err
