"""Opening a connection to an instance: TCP, and TLS over it where the rules say https."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

from proxy.errors import CutoverError
from proxy.routing.upstream_rules import TlsRules, UpstreamRules
from proxy.upstream.connection import Home, UpstreamConnection
from proxy.upstream.instance import Instance

Connect = Callable[[Home, Instance, float, float], Awaitable[UpstreamConnection]]
"""Opens a connection for a pool: home, instance, idle limit and connect deadline in seconds.

Raises OSError or TimeoutError.
"""


class TlsError(CutoverError):
    """A file that `upstreams.SIDE.tls` names cannot be used."""


def connector(rules: UpstreamRules) -> Connect:
    """Give what opens connections to a side; raises TlsError when a file of its rules is no good.

    The files are read here, once: a renewed one counts from the next change of the side's rules.
    """
    if not any(Instance.parse(url).secure for url in rules.instances):
        return connect_tcp
    return partial(_connect_either, client_context(rules), rules.tls.server_name)


def refusing(error: TlsError) -> Connect:
    """Give what opens no connection: a side that cannot be verified, beside one that can serve."""

    async def connect(
        _home: Home, _instance: Instance, _idle_limit: float, _deadline: float
    ) -> UpstreamConnection:
        raise OSError(str(error))

    return connect


async def connect_tcp(
    home: Home, instance: Instance, idle_limit: float, deadline: float
) -> UpstreamConnection:
    """Open a TCP connection; raises OSError or TimeoutError."""
    return await _connect(home, instance, idle_limit, deadline)


async def _connect_either(
    context: ssl.SSLContext,
    server_name: str,
    home: Home,
    instance: Instance,
    idle_limit: float,
    deadline: float,
) -> UpstreamConnection:
    """Open a connection over TLS to an instance that wants it; raises OSError or TimeoutError."""
    if not instance.secure:
        return await connect_tcp(home, instance, idle_limit, deadline)
    name = server_name or instance.host.rstrip(".")
    return await _connect(home, instance, idle_limit, deadline, context, name)


async def _connect(
    home: Home,
    instance: Instance,
    idle_limit: float,
    deadline: float,
    context: ssl.SSLContext | None = None,
    server_name: str | None = None,
) -> UpstreamConnection:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(deadline):
        _, connection = await loop.create_connection(
            lambda: UpstreamConnection(home, instance, idle_limit),
            instance.host,
            instance.port,
            ssl=context,
            server_hostname=server_name,
        )
    return connection


def client_context(rules: UpstreamRules) -> ssl.SSLContext:
    """Make the TLS context of a side: TLS 1.2 or later, verified unless the rules say otherwise.

    Raises TlsError.
    """
    tls = rules.tls
    context = _trusting(rules.side, tls)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        _show(context, rules.side, tls)
    return context


def _trusting(side: str, tls: TlsRules) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=tls.ca or None)
    except OSError as error:
        raise TlsError(
            f"upstreams.{side}.tls.ca: {tls.ca} cannot be used: {_reason(error)};"
            " name a file of certificates in PEM that the proxy's user can read"
        ) from error


def _show(context: ssl.SSLContext, side: str, tls: TlsRules) -> None:
    """Load the certificate that we show; a key with a passphrase is refused, not asked for."""
    try:
        context.load_cert_chain(tls.cert, tls.key or None, password=lambda: "")
    except (OSError, ValueError) as error:
        raise TlsError(
            f"upstreams.{side}.tls.cert: {tls.cert} and its key cannot be used: {_reason(error)};"
            " name the chain and the key that belongs to it, in PEM, without a passphrase"
        ) from error


def explain(error: Exception, instance: Instance) -> str:
    """Say to an operator why an instance cannot be reached, and how to mend it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {instance} does not verify: {error.verify_message};"
            " name its authority with `tls.ca`, or the host it is made for with `tls.server_name`"
        )
    if isinstance(error, ssl.SSLError):
        return f"no TLS with {instance}: {_reason(error)}; does it speak TLS 1.2 or later there?"
    if isinstance(error, TimeoutError):
        return f"{instance} cannot be reached: no connection within `timeouts.connect`"
    return f"{instance} cannot be reached: {_reason(error)}"


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        reason: str | None = getattr(error, "reason", None)  # Python's own have none
        return reason or "not valid TLS, or not PEM"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
