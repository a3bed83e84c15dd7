from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack.errors import PortBusyError, StackError
from deploy.stack.ports import Ports, variable


def test_standard_ports_are_the_documented_ones() -> None:
    """Without any choice the servers listen where the documentation says."""
    assert Ports() == Ports(8080, 8090, 8081, 8082, 13306, 15432, 16379, 18084, 18025)


def test_a_variable_moves_one_port_only() -> None:
    """CUTOVER_PORT_PROXY moves the proxy and nothing else."""
    moved = Ports().overridden({"CUTOVER_PORT_PROXY": "9080", "CUTOVER_TOKEN": "x"})
    assert moved == Ports(proxy=9080)


@pytest.mark.parametrize("text", ["", "0", "65536", "-1", "80a", "\uff18\uff10"])
def test_a_port_that_is_none_is_refused_by_name(text: str) -> None:
    """A bad number is refused with the variable that holds it."""
    with pytest.raises(StackError, match="CUTOVER_PORT_REDIS"):
        Ports().overridden({"CUTOVER_PORT_REDIS": text})


def test_ports_survive_being_written_down(tmp_path: Path) -> None:
    """A later command finds the ports of the start before it."""
    file = tmp_path / "ports.json"
    ports = Ports(proxy=9080, redis=7000)
    ports.save(file)
    assert Ports.load(file) == ports


def test_nothing_written_down_means_the_standard_ports(tmp_path: Path) -> None:
    """Before the first start the standard ports are meant."""
    assert Ports.load(tmp_path / "ports.json") == Ports()


def test_a_busy_port_is_told_with_its_holder_and_the_way_out() -> None:
    """The message names the port, the holder, and the variable that chooses another port."""
    error = PortBusyError("legacy", 8081, "nginx (pid 812)", variable("legacy"))
    assert str(error).splitlines() == [
        "port 8081, wanted for legacy, is in use by nginx (pid 812).",
        "  Stop that program, or choose another port: CUTOVER_PORT_LEGACY=18081 make run",
    ]
