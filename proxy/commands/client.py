"""The admin API over HTTP, by the standard library: httpx takes longer to load than we run."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from urllib.parse import SplitResult, urlencode, urlsplit

from proxy.admin.endpoints import PREFIX
from proxy.commands.context import AnswerError, Json, UnreachableError
from proxy.errors import SettingsError
from proxy.settings import read_token

DEFAULT_URL = "http://127.0.0.1:8090"
TIMEOUT = 10.0
ANSWER_MAX = 64 * 1024 * 1024


class HttpClient:
    """One admin API; a connection is made for each request."""

    def __init__(self, url: str, token: str | None, timeout: float = TIMEOUT) -> None:
        self.url = url.rstrip("/")
        self._parts = _split(self.url)
        self._token = token
        self._timeout = timeout

    def get(self, path: str, **query: str | int | None) -> Json:
        """Read; parameters that are None are left out."""
        return self._understood(*self._ask("GET", _target(path, query)))

    def text(self, path: str, **query: str | int | None) -> str:
        """Read a file; what is refused is answered with JSON."""
        status, content = self._ask("GET", _target(path, query))
        if status >= 400:
            self._understood(status, content)
        return content.decode("utf-8", "replace")

    def send(self, method: str, path: str, body: Json, version: int | None = None) -> Json:
        """Change something, only if the rules are still at `version` when one is named."""
        headers = {"Content-Type": "application/json"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        return self._understood(*self._ask(method, path, json.dumps(body).encode(), headers))

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Json | None = None
    ) -> tuple[int, bytes]:
        headers = {"Accept": "application/json", **(headers or {})}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = self._connection()
        try:
            connection.request(method, f"{self._parts.path}{PREFIX}{path}", body, headers)
            response = connection.getresponse()
            content = response.read(ANSWER_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(_unreachable(self.url, error)) from error
        finally:
            connection.close()
        return response.status, content

    def _connection(self) -> http.client.HTTPConnection:
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(self._parts.hostname or "", self._parts.port, timeout=self._timeout)

    def _understood(self, status: int, content: bytes) -> Json:
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise UnreachableError(
                f"{self.url} answers ({status}), but not as the admin API does. Is it the port of "
                "the proxy itself? Name the admin API with --admin URL or CUTOVER_ADMIN_URL"
            )
        if status >= 400:
            raise AnswerError(answer)
        return answer


def connect(url: str | None, environ: Mapping[str, str]) -> HttpClient:
    """Give the client for --admin, else CUTOVER_ADMIN_URL, else the default address."""
    return HttpClient(url or environ.get("CUTOVER_ADMIN_URL") or DEFAULT_URL, read_token(environ))


def _target(path: str, query: Mapping[str, str | int | None]) -> str:
    """Write path and query; parameters that are None are left out."""
    given = {name: str(value) for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.username or parts.query or parts.fragment:
        raise SettingsError(f"{url!r} is not the URL of an admin API, such as {DEFAULT_URL}")
    return parts


def _unreachable(url: str, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return (
        f"no admin API answers at {url}: {reason}. Is `cutover serve` running? "
        "Name another address with --admin URL or CUTOVER_ADMIN_URL"
    )
