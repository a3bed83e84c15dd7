"""Values that leave with a page and must come back unaltered: form tokens and flash messages.

Cookies of one host are shared by all its ports, so the applications behind the proxy on the same
machine can read and set ours. A bare double-submit cookie would therefore protect nothing: the
hidden field is a keyed digest of the cookie, which only this process can make.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error


class Seal:
    """Makes and checks tokens under one secret key, which lives as long as the process."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def new_nonce(self) -> str:
        """A fresh unguessable cookie value."""
        return secrets.token_urlsafe(32)

    def token(self, nonce: str) -> str:
        """The form field that belongs to this cookie."""
        return self._digest("form", nonce)

    def is_token(self, nonce: str, token: str) -> bool:
        """Whether a form field and a cookie belong together, in constant time."""
        return bool(nonce) and hmac.compare_digest(self.token(nonce).encode(), token.encode())

    def close(self, text: str) -> str:
        """Seal a text into characters that a cookie may hold."""
        body = urlsafe_b64encode(text.encode()).decode()
        return f"{body}.{self._digest('text', body)}"

    def open(self, sealed: str) -> str:
        """Give the text back, or nothing if it is not ours or was altered."""
        body, _, digest = sealed.partition(".")
        if not hmac.compare_digest(self._digest("text", body).encode(), digest.encode()):
            return ""
        try:
            return urlsafe_b64decode(body).decode()
        except (Base64Error, UnicodeDecodeError):
            return ""

    def _digest(self, purpose: str, value: str) -> str:
        message = f"{purpose}:{value}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()
