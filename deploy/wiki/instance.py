"""One DokuWiki with its own code, configuration and data, served by PHP's own server."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from deploy.stack.process import Command
from deploy.stack.program import find, run
from deploy.stack.server import Server, http_status

_EXTENSIONS = ("xml", "dom", "simplexml")
_WORD = ("'Last modified:'", "'Last changed:'")
_CONFIG = """<?php
$conf['title'] = 'Our wiki';
$conf['useacl'] = 1;
$conf['superuser'] = '@admin';
$conf['savedir'] = '{data}';
$conf['updatecheck'] = 0;
$conf['securecookie'] = 0;  // names of cookies would hold the port
$conf['rss_update'] = -1;  // a feed that is kept says when it was made, and each side made its own
"""
_MADE = 1_700_000_000
"""When every file was written last: pages and links show it, and it is the same on both sides."""


class Wiki(Server):
    """The wiki of one side."""

    def __init__(self, side: str, run_dir: Path, port: int, packages: Path) -> None:
        """Copy it from the unpacked packages; it ends with the program that started it."""
        self.name = side
        super().__init__(run_dir, port, tied=True)
        self._packages = packages

    def prepare(self) -> None:
        """Make a fresh copy, so that both sides hold the same."""
        shutil.rmtree(self.folder, ignore_errors=True)
        super().prepare()
        shared, state = self._packages / "usr/share", self._packages / "var/lib/dokuwiki"
        app, config = self.folder / "app", self.folder / "conf"
        shutil.copytree(
            shared / "dokuwiki", app, ignore=shutil.ignore_patterns("tpl", "plugins", ".htaccess")
        )
        for part in ("tpl", "plugins"):
            shutil.copytree(state / "lib" / part, app / "lib" / part)
        shutil.copytree(state / "data", self.folder / "data")
        shutil.copytree(
            self._packages / "etc/dokuwiki", config, ignore=shutil.ignore_patterns("*.auth.php")
        )
        (config / "users.auth.php").touch()
        (config / "acl.auth.php").write_text("* @ALL 8\n")
        (config / "local.php").write_text(_CONFIG.format(data=self.folder / "data"))
        for name in ("_htcookiesalt", "_htcookiesalt2"):  # the secret that tokens are made with
            (self.folder / "data/meta" / name).write_text("the same on both sides")
        self._point(app, shared)
        (self.folder / "prepend.php").write_text(
            f"<?php define('DOKU_MAIN_CONF', '{config}/'); define('DOKU_CONF', '{config}/');\n"
        )
        for path in self.folder.rglob("*"):
            os.utime(path, (_MADE, _MADE), follow_symlinks=False)

    @staticmethod
    def _point(app: Path, shared: Path) -> None:
        """Have the code look for its libraries where they were unpacked."""
        for path in app.rglob("*.php"):
            code = path.read_text(errors="surrogateescape")
            pointed = code.replace("/usr/share/php", f"{shared}/php")
            pointed = pointed.replace("/usr/share/javascript", f"{shared}/javascript")
            if pointed != code:
                path.write_text(pointed, errors="surrogateescape")

    def command(self) -> Command:
        """Return PHP's own server, with a few workers."""
        php = find("php", "php8.2-cli")
        loaded = run([php, "-m"]).lower().split()
        library = self._packages / "usr/lib/php/20220829"
        options = [f"auto_prepend_file={self.folder}/prepend.php", "display_errors=0"]
        options += [f"extension={library}/{each}.so" for each in _EXTENSIONS if each not in loaded]
        argv = [php, *(word for option in options for word in ("-d", option))]
        env = {"PHP_CLI_SERVER_WORKERS": "3"}
        return Command((*argv, "-S", self.address), env=env, cwd=self.folder / "app")

    def ready(self) -> bool:
        """Say whether it shows a page."""
        return http_status(self.port, "/doku.php", timeout=10) == 200

    def change_a_word(self) -> tuple[str, str]:
        """Change one word of the template; give the old wording and the new."""
        path = self.folder / "app/inc/lang/en/lang.php"
        path.write_text(path.read_text().replace(*_WORD))
        return _WORD
