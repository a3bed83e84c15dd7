from __future__ import annotations

import gzip
import sys
import zlib
from contextlib import suppress

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.encodings import DECODERS, BrokenError, TooBigError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACK = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
ENCODINGS = pytest.mark.parametrize("encoding", PACK)


@ENCODINGS
@given(body=st.binary(max_size=200))
def test_what_was_packed_comes_out(encoding: str, body: bytes) -> None:
    """Every encoding gives the very bytes, also when there is just room for them."""
    assert DECODERS[encoding](PACK[encoding](body), len(body)) == body


@ENCODINGS
def test_cut_off_is_broken(encoding: str) -> None:
    """Whatever is missing at the end, the body is not taken for whole."""
    packed = PACK[encoding](b"some text, " * 50)
    for cut in range(1, len(packed)):
        with pytest.raises(BrokenError):
            DECODERS[encoding](packed[:cut], 10_000)


@ENCODINGS
@given(rubbish=st.binary(min_size=1, max_size=60))
def test_rubbish_is_broken_or_something(encoding: str, rubbish: bytes) -> None:
    """No bytes make a decoder fail in another way."""
    with suppress(BrokenError, TooBigError):
        assert len(DECODERS[encoding](rubbish, 1000)) <= 1000


@ENCODINGS
def test_bomb_is_given_up_when_the_room_is_full(encoding: str) -> None:
    """Megabytes of zeros in a few bytes is not unpacked."""
    bomb = PACK[encoding](bytes(4 * 1024 * 1024))
    assert len(bomb) < 64 * 1024
    with pytest.raises(TooBigError):
        DECODERS[encoding](bomb, 1024 * 1024)


@ENCODINGS
def test_something_after_the_end_is_broken(encoding: str) -> None:
    """Bytes that belong to nothing are not passed over."""
    with pytest.raises(BrokenError):
        DECODERS[encoding](PACK[encoding](b"text") + b"rubbish", 1000)


def test_frames_of_zstandard_may_be_strung_together() -> None:
    """Two frames are one content."""
    assert DECODERS["zstd"](zstd.compress(b"te") + zstd.compress(b"xt"), 4) == b"text"


def test_window_beyond_what_http_allows_is_broken() -> None:
    """A sender that asks for 128 MiB of memory does not get them."""
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(b"text" * 1000) + packer.flush()
    with pytest.raises(BrokenError):
        DECODERS["zstd"](packed, 10_000)
