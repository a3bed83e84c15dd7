"""`cutover serve`: start the proxy."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from proxy import compiled
from proxy.commands.command import add_command
from proxy.commands.context import Context
from proxy.settings import SERVE_SETTINGS, serve_settings

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover serve
cutover serve --rules routing_rules.yaml --listen 0.0.0.0:8080 --workers 4
cutover serve --role data-plane --access-log /var/log/cutover/access.log
CUTOVER_ADMIN_TOKEN_FILE=/run/secrets/token cutover serve --admin-listen 0.0.0.0:8090
"""


def add_to(commands: Commands) -> None:
    """Add the command, with one option for each setting."""
    summary = "start the proxy, its controller and its shadow workers"
    parser = add_command(commands, "serve", run, summary, EXAMPLES, remote=False, json=False)
    for setting in SERVE_SETTINGS:
        default = f"default {setting.default}; ".replace("%", "%%") if setting.default else ""
        parser.add_argument(
            setting.option,
            metavar=setting.metavar,
            help=f"{setting.meaning} ({default}{setting.variable})",
        )


def run(args: argparse.Namespace, context: Context) -> int:
    """Read the settings and serve until a signal ends it."""
    settings = serve_settings(vars(args), context.environ)
    told = compiled.use(settings.compiled)  # before the hot path is imported
    from proxy.bootstrap.serve import serve

    return serve(settings, told)
