"""Apache with PHP, serving the legacy application: prefork, mod_php, one entry point."""

from __future__ import annotations

import pwd
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deploy.stack.database import Database
from deploy.stack.errors import CommandError, MissingProgramError
from deploy.stack.process import Command
from deploy.stack.processor import Account
from deploy.stack.program import ROOT, find, is_root, run
from deploy.stack.server import Server, http_status

SOURCE = ROOT / "legacy_php"
_MODULES = Path("/usr/lib/apache2/modules")
_PHP_PACKAGE = "libapache2-mod-php8.2"
_USER = "www-data"

# Debian's own limits for prefork and keep-alive: this side is not tuned, and not hobbled either.
_CONFIG = """\
ServerRoot "{folder}"
ServerName localhost
Listen {host}:{port}
PidFile "{folder}/apache.pid"
DefaultRuntimeDir "{folder}"
Mutex "file:{folder}" default
ErrorLog "{log}"
LogLevel warn
{account}
{modules}

ServerTokens Prod
ServerSignature Off
TraceEnable Off
Timeout 60
KeepAlive On
MaxKeepAliveRequests 100
KeepAliveTimeout 5
# prefork makes children at 1, 2, 4 ... a second, and an idle kept connection holds one: with the
# default of 5, a burst of new connections waits for seconds.
StartServers 20
MinSpareServers 20
MaxSpareServers 60
ServerLimit 150
MaxRequestWorkers 150
GracefulShutdownTimeout 5

TypesConfig /etc/mime.types
AddType application/x-httpd-php .php
DocumentRoot "{document_root}"
<Directory "/">
    AllowOverride None
    Require all denied
</Directory>
<Directory "{document_root}">
    Options None
    Require all granted
</Directory>
# One entry point: no file below the document root is ever served by its own name.
RewriteEngine On
RewriteRule ^ /index.php [PT]

{environment}
php_value session.save_handler redis
php_value session.save_path "tcp://{redis_host}:{redis_port}?database=0"
php_admin_flag display_errors off
php_admin_flag log_errors on
php_admin_flag expose_php on
"""


class Apache(Server):
    """The legacy application under Apache and mod_php."""

    name = "legacy"

    def __init__(
        self,
        run_dir: Path,
        port: int,
        database: Database,
        redis: tuple[str, int],
        *,
        processor: Account | None = None,
        source: Path = SOURCE,
        tied: bool = False,
    ) -> None:
        """Serve the PHP source with the database, session store and processor given."""
        super().__init__(run_dir, port, tied=tied)
        self._database = database
        self._redis = redis
        self._processor = processor
        self._source = source
        self._copy_note = self.folder / "document_root"

    def prepare(self) -> None:
        """Write the configuration, and copy the application where its account can read it."""
        super().prepare()
        root = self._document_root()
        config = self.folder / "apache.conf"
        config.touch(mode=0o600)  # it names the database password
        config.write_text(self.config(root))

    def config(self, document_root: Path) -> str:
        """Return the text of the configuration."""
        account = f"User {_USER}\nGroup {_USER}" if is_root() else ""
        host, port = self._redis
        return _CONFIG.format(
            folder=self.folder,
            host=self.host,
            port=self.port,
            account=account,
            modules=_load_modules(),
            document_root=document_root,
            environment=_set_env(legacy_environment(self._database, self._redis, self._processor)),
            redis_host=host,
            redis_port=port,
            log=self.process.log,
        )

    def command(self) -> Command:
        """Return the server's command, in the foreground; it ends at once on SIGTERM."""
        server = find("apache2", "apache2-bin")
        argv = (server, "-f", str(self.folder / "apache.conf"), "-DFOREGROUND")
        return Command(argv, cwd=self.folder)

    def ready(self) -> bool:
        """Say whether the application and what it needs are healthy."""
        return http_status(self.port, "/health") == 200

    def stop(self) -> None:
        """Let it end, and remove the copy of the application."""
        super().stop()
        self._drop_copy()

    def _document_root(self) -> Path:
        self._drop_copy()
        if not is_root() or _readable_by(_USER, self._source):
            return self._source
        # A checkout below a private directory cannot be read by the account Apache serves as, and
        # nothing below the run directory can: a copy in the system's directory for such things.
        copy = Path(tempfile.mkdtemp(prefix="cutover-legacy-"))
        shutil.copytree(self._source, copy / "www")
        run(["chmod", "-R", "a+rX", str(copy)])
        self._copy_note.write_text(str(copy))
        return copy / "www"

    def _drop_copy(self) -> None:
        if self._copy_note.exists():
            shutil.rmtree(self._copy_note.read_text(), ignore_errors=True)
            self._copy_note.unlink()


def legacy_environment(
    database: Database, redis: tuple[str, int], processor: Account | None = None
) -> dict[str, str]:
    """Return the variables that the legacy application reads its configuration from."""
    account = (processor.url, processor.key) if processor else ("", "")
    return {
        "LEGACY_STRIPE_URL": account[0],
        "LEGACY_STRIPE_KEY": account[1],
        "LEGACY_DB_HOST": database.host,
        "LEGACY_DB_PORT": str(database.port),
        "LEGACY_DB_NAME": database.name,
        "LEGACY_DB_USER": database.user,
        "LEGACY_DB_PASSWORD": database.password,
        "LEGACY_REDIS_HOST": redis[0],
        "LEGACY_REDIS_PORT": str(redis[1]),
    }


def _load_modules() -> str:
    names = ("mpm_prefork", "authz_core", "dir", "env", "mime", "rewrite")
    lines = [f'LoadModule {name}_module "{_MODULES}/mod_{name}.so"' for name in names]
    return "\n".join([*lines, f'LoadModule php_module "{_php_module()}"'])


def _php_module() -> Path:
    found = sorted(_MODULES.glob("libphp8*.so"))
    if not found:
        raise MissingProgramError("mod_php", _PHP_PACKAGE)
    return found[-1]


def _set_env(variables: Mapping[str, str]) -> str:
    return "\n".join(f'SetEnv {name} "{value}"' for name, value in variables.items())


def _readable_by(user: str, folder: Path) -> bool:
    """Say whether another account can read the whole folder, asked of the kernel itself."""
    entry = pwd.getpwnam(user)
    ids = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    probe = 'ls "$1" >/dev/null && test -z "$(find "$1" ! -readable -print -quit)"'
    try:
        run([*ids, "sh", "-c", probe, "sh", str(folder)])
    except CommandError:
        return False
    return True
