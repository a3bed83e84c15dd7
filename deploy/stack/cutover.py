"""The proxy itself: data plane, controller and shadow worker under their supervisor."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.stack.ports import Ports
from deploy.stack.process import Command
from deploy.stack.program import ROOT
from deploy.stack.server import Server, accepts, http_status

RULES = ROOT / "routing_rules.yaml"


class Cutover(Server):
    """`cutover serve` in front of both applications."""

    name = "cutover"
    stop_grace = 15.0  # longer than it lets running exchanges take to finish

    def __init__(
        self,
        run_dir: Path,
        ports: Ports,
        *,
        rules: Path,
        workers: int,
        shadow_key: str = "",
        tied: bool = False,
    ) -> None:
        """Serve the rules file; its upstreams follow the ports when those are not the standard."""
        self._environment = {"CUTOVER_SHADOW_KEY": shadow_key} if shadow_key else {}
        super().__init__(run_dir, ports.proxy, tied=tied)
        self._ports = ports
        self._source = rules
        self._workers = workers

    @property
    def rules(self) -> Path:
        """The rules file in force: the one given, or a copy that names this stack's ports."""
        standard = Ports()
        ours = (self._ports.legacy, self._ports.modern)
        same = ours == (standard.legacy, standard.modern)
        return self._source if same or self._is_own else self.folder / "routing_rules.yaml"

    @property
    def _is_own(self) -> bool:
        """Whether the file given lies below the run directory, so that it may be changed."""
        return self._source.is_relative_to(self.folder.parent)

    def prepare(self) -> None:
        """Make the state directory, and the copy of the rules when one is needed."""
        super().prepare()
        (self.folder / "state").mkdir(mode=0o700, exist_ok=True)
        if self._is_own or (self.rules != self._source and not self.rules.exists()):
            self.rules.write_text(with_ports(self._source.read_text(), self._ports))

    def required_ports(self) -> Mapping[str, int]:
        """Return the proxy's port and the console's."""
        return {"proxy": self._ports.proxy, "console": self._ports.console}

    def command(self) -> Command:
        """Return the supervisor's command."""
        argv = [sys.executable, "-m", "proxy", "serve", "--rules", str(self.rules)]
        state = ["--state", str(self.folder / "state"), "--workers", str(self._workers)]
        listen = ["--listen", f"{self.host}:{self._ports.proxy}"]
        admin = ["--admin-listen", f"{self.host}:{self._ports.console}"]
        return Command((*argv, *state, *listen, *admin), env=self._environment, cwd=ROOT)

    def ready(self) -> bool:
        """Say whether the control side is ready and the proxy accepts connections.

        No request is sent through the proxy: it would count as evidence about a route.
        """
        return http_status(self._ports.console, "/readyz") == 200 and accepts(self._ports.proxy)


def with_ports(rules: str, ports: Ports) -> str:
    """Return the text of a rules file with the standard upstream ports replaced."""
    standard = Ports()
    for side in ("legacy", "modern"):
        rules = rules.replace(
            f"127.0.0.1:{getattr(standard, side)}", f"127.0.0.1:{getattr(ports, side)}"
        )
    return rules
