from __future__ import annotations

import httpx
import redis

from deploy.stack.redis import Redis


def test_the_session_lies_in_redis_in_the_format_of_php(
    client: httpx.Client, redis_server: Redis
) -> None:
    """Another application can read the session: PHP's own serialisation, with a time to live."""
    form = {"email": "katerina.cerny.3@example.com", "password": "cutover-demo"}
    session_id = client.post("/api/login", data=form).cookies["PHPSESSID"]
    with redis.Redis.from_url(redis_server.url()) as store:
        key = f"PHPREDIS_SESSION:{session_id}"
        assert store.get(key) == b"user_id|i:3;"
        assert 0 < store.ttl(key) <= 7200


def test_a_session_that_somebody_else_wrote_counts(
    client: httpx.Client, redis_server: Redis
) -> None:
    """A login on another side counts here: only what lies in Redis matters."""
    with redis.Redis.from_url(redis_server.url()) as store:
        store.set("PHPREDIS_SESSION:writtenbysomebodyelse1234", b"user_id|i:4;", ex=60)
    answer = client.get("/api/me", headers={"Cookie": "PHPSESSID=writtenbysomebodyelse1234"})
    assert answer.json()["data"]["id"] == 4


def test_asking_who_one_is_leaves_nothing_behind(client: httpx.Client, redis_server: Redis) -> None:
    """A cookie without a session does not fill the store."""
    with redis.Redis.from_url(redis_server.url()) as store:
        before = store.keys("PHPREDIS_SESSION:*")
        client.get("/api/me", headers={"Cookie": "PHPSESSID=nobodynobodynobodynobody"})
        assert store.keys("PHPREDIS_SESSION:*") == before
