from __future__ import annotations

from pathlib import Path

from deploy.stack.cutover import Cutover, with_ports
from deploy.stack.ports import Ports

_RULES = """\
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"]}  # old
  modern: {instances: ["http://127.0.0.1:8082"]}
"""


def test_upstreams_follow_the_ports_of_the_stack() -> None:
    """A copy of the rules names this stack's applications, comments kept."""
    text = with_ports(_RULES, Ports(legacy=21081, modern=21082))
    assert text == _RULES.replace("8081", "21081").replace("8082", "21082")


def test_on_standard_ports_the_rules_file_itself_is_served(tmp_path: Path) -> None:
    """An edit of the checkout's rules file reaches the proxy."""
    rules = tmp_path / "routing_rules.yaml"
    assert Cutover(tmp_path, Ports(), rules=rules, workers=1).rules == rules


def test_on_other_ports_a_copy_is_served(tmp_path: Path) -> None:
    """The checkout's rules file is left alone when its addresses are not this stack's."""
    rules = tmp_path / "checkout" / "routing_rules.yaml"
    served = Cutover(tmp_path / "run", Ports(modern=21082), rules=rules, workers=1).rules
    assert served == tmp_path / "run" / "cutover" / "routing_rules.yaml"


def test_rules_below_the_run_directory_are_made_to_fit(tmp_path: Path) -> None:
    """A file that belongs to the stack is given its addresses at every start."""
    rules = tmp_path / "demo" / "routing_rules.yaml"
    rules.parent.mkdir()
    rules.write_text(_RULES)
    server = Cutover(tmp_path, Ports(modern=21082), rules=rules, workers=1)
    server.prepare()
    assert server.rules == rules
    assert rules.read_text() == _RULES.replace("8082", "21082")


def test_everything_listens_on_loopback(tmp_path: Path) -> None:
    """The proxy and its console are not offered to the network."""
    command = Cutover(tmp_path, Ports(), rules=tmp_path / "r", workers=2).command().argv
    assert command[command.index("--listen") + 1] == "127.0.0.1:8080"
    assert command[command.index("--admin-listen") + 1] == "127.0.0.1:8090"
    assert command[command.index("--workers") + 1] == "2"
