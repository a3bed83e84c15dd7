"""A real proxy between two applications that do as they are told, fresh for each story."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from deploy.stack import Stack
from deploy.stack.cutover import with_ports
from tests.conftest import LegacyApp, ModernApp
from tests.support_app import App, running_app
from tests.support_proxy import Proxy, proxy_folder, rules_between


@pytest.fixture
async def legacy() -> AsyncIterator[App]:
    """Give the old application."""
    async with running_app("legacy") as app:
        yield app


@pytest.fixture
async def modern() -> AsyncIterator[App]:
    """Give its successor."""
    async with running_app("modern") as app:
        yield app


@pytest.fixture
def make_proxy() -> Iterator[Callable[..., Proxy]]:
    """Give a way to make proxies with rules of one's own; they end with the story."""
    made: list[Proxy] = []
    with proxy_folder() as folder:

        def make(rules: str, *options: str) -> Proxy:
            own = folder / str(len(made))
            own.mkdir()
            proxy = Proxy(own, rules, *options)
            made.append(proxy)
            return proxy

        yield make
        for proxy in made:
            proxy.end()


@pytest.fixture
async def proxy_between(legacy: App, modern: App, make_proxy: Callable[..., Proxy]) -> Proxy:
    """Give a running proxy with two data plane workers that sends half of the people to modern."""
    proxy = make_proxy(rules_between(legacy.port, modern.port))
    await proxy.start()
    return proxy


@pytest.fixture
def before_the_applications(
    stack: Stack, legacy_app: LegacyApp, modern_app: ModernApp, make_proxy: Callable[..., Proxy]
) -> Callable[[str], Proxy]:
    """Give a way to put a proxy before the real PHP and Python applications.

    Its rules name the standard ports, as the files of this repository do.
    """
    assert legacy_app.base_url != modern_app.base_url

    def make(rules: str) -> Proxy:
        return make_proxy(with_ports(rules, stack.ports))

    return make


@pytest.fixture
def mortal_modern(stack: Stack, modern_app: ModernApp) -> Iterator[ModernApp]:
    """Give the real modern application to a story that kills it or makes it fail."""
    yield modern_app
    stack.restart("modern")
