"""The data plane on the event loop of production, shared by the cases of the whole session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from proxy.serving.tls import CertificateStore
from tests.support_certificates import Made, make_certificate
from tests.support_plane import Rig, running


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on uvloop, as the product does: transports differ from asyncio's at the edges."""
    return {"uvloop": uvloop.new_event_loop}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """Give one worker for all cases that leave it as they found it."""
    async with running(tmp_path_factory.mktemp("plane")) as rig:
        yield rig


@pytest_asyncio.fixture(loop_scope="session")
async def rig(shared_rig: Rig) -> AsyncIterator[Rig]:
    """Give the shared worker; afterwards both sides must answer exactly what they are asked."""
    shared_rig.forget()
    yield shared_rig
    shared_rig.forget()
    await shared_rig.is_clean()
    await shared_rig.hang_up()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Give the certificate of shop.test."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_edge(
    tmp_path_factory: pytest.TempPathFactory, certificate: Made
) -> AsyncIterator[Rig]:
    """Give one worker with every kind of listener."""
    store = CertificateStore([certificate.certificate], [certificate.key])
    async with running(tmp_path_factory.mktemp("edge"), certificates=store) as rig:
        yield rig


@pytest_asyncio.fixture(loop_scope="session")
async def edge(shared_edge: Rig) -> AsyncIterator[Rig]:
    """Give the shared worker with every kind of listener; it must be clean afterwards, too."""
    shared_edge.forget()
    yield shared_edge
    shared_edge.forget()
    await shared_edge.is_clean()
    await shared_edge.hang_up()


@pytest_asyncio.fixture(loop_scope="session")
async def own_rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """Give a worker of its own to a case that changes or stops it."""
    async with running(tmp_path, drain_seconds=3.0) as rig:
        yield rig
