"""What every cache store must do, wherever the values lie; each store's tests inherit these."""

from collections.abc import Awaitable, Callable

from modern.infra.cache_store import CacheStore

Wait = Callable[[float], Awaitable[None]]


class CacheStoreContract:
    """The tests; who inherits them gives the fixtures `store` and `wait` (for so many seconds)."""

    async def test_an_unknown_key_has_no_value(self, store: CacheStore) -> None:
        """Nothing is made up."""
        assert await store.read("plans") is None

    async def test_who_holds_the_claim_fills_the_value(self, store: CacheStore) -> None:
        """A value is read as it was filled in, whatever its bytes."""
        assert await store.claim("plans", "a", 5)
        assert await store.fill("plans", "a", b"\x00\xff{}", 60)
        assert await store.read("plans") == b"\x00\xff{}"

    async def test_a_claim_is_one_holders(self, store: CacheStore) -> None:
        """Of two that would load a value, one may."""
        assert await store.claim("plans", "a", 5)
        assert not await store.claim("plans", "b", 5)

    async def test_who_does_not_hold_the_claim_fills_nothing(self, store: CacheStore) -> None:
        """Another's claim is not mine."""
        assert await store.claim("plans", "a", 5)
        assert not await store.fill("plans", "b", b"1", 60)
        assert await store.read("plans") is None

    async def test_filling_gives_the_claim_back(self, store: CacheStore) -> None:
        """The next holder need not wait for a claim to run out."""
        await store.claim("plans", "a", 5)
        await store.fill("plans", "a", b"1", 60)
        assert await store.claim("plans", "b", 5)

    async def test_dropping_forgets_the_value(self, store: CacheStore) -> None:
        """After a drop there is nothing to read."""
        await store.claim("plans", "a", 5)
        await store.fill("plans", "a", b"1", 60)
        await store.drop("plans")
        assert await store.read("plans") is None

    async def test_dropping_voids_the_claim(self, store: CacheStore) -> None:
        """What was loaded before the data changed never gets into the cache."""
        await store.claim("plans", "a", 5)
        await store.drop("plans")
        assert not await store.fill("plans", "a", b"stale", 60)
        assert await store.claim("plans", "b", 5)
        assert not await store.fill("plans", "a", b"stale", 60)
        assert await store.fill("plans", "b", b"fresh", 60)

    async def test_a_value_runs_out(self, store: CacheStore, wait: Wait) -> None:
        """After its time a value is gone."""
        await store.claim("plans", "a", 5)
        await store.fill("plans", "a", b"1", 0.05)
        await wait(0.1)
        assert await store.read("plans") is None

    async def test_a_claim_runs_out(self, store: CacheStore, wait: Wait) -> None:
        """Who dies while loading does not keep the others from it for ever."""
        await store.claim("plans", "a", 0.05)
        await wait(0.1)
        assert not await store.fill("plans", "a", b"late", 60)
        assert await store.claim("plans", "b", 5)

    async def test_keys_are_apart(self, store: CacheStore) -> None:
        """What happens to one value does not touch another."""
        await store.claim("plans", "a", 5)
        await store.fill("plans", "a", b"1", 60)
        await store.drop("users")
        assert await store.claim("users", "a", 5)
        assert await store.read("plans") == b"1"
