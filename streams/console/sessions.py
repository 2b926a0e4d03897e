"""Sessions: signed cookies that say who and until when. Nothing is stored, so any console with the key knows them."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

COOKIE: Final = "shopwarden_session"
_encode = msgspec.json.Encoder().encode


class Session(Struct, frozen=True, array_like=True):
    """A session of a user: when it ends (s since the epoch), by which token it was begun, and its own random id."""

    user: str
    ends: int
    fingerprint: str
    id: str


class Sessions:
    """Makes and checks sessions.

    Parameters
    ----------
    key
        Signs them.
    hours
        How long they last.
    clock
        Seconds since the epoch.
    """

    def __init__(self, key: bytes, hours: float, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._seconds = round(hours * 3600)
        self._clock = clock

    @property
    def seconds(self) -> int:
        """How long a session lasts."""
        return self._seconds

    def begin(self, user: str, fingerprint: str) -> tuple[Session, str]:
        """A new session and the cookie for it."""
        session = Session(user, round(self._clock()) + self._seconds, fingerprint, secrets.token_urlsafe(16))
        body = base64.urlsafe_b64encode(_encode(session)).decode().rstrip("=")
        return session, f"{body}.{self._sign('session', body)}"

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None if it is not ours, or over."""
        body, _, signature = cookie.partition(".")
        # Bytes that are no text come as surrogates, which can't be encoded.
        if (
            not cookie.isascii()
            or not signature
            or not hmac.compare_digest(signature.encode(), self._sign("session", body).encode())
        ):
            return None
        try:
            decoded = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            session = msgspec.json.decode(decoded, type=Session)
        except (binascii.Error, ValueError, msgspec.DecodeError):
            return None
        return session if self.lasts(session) else None

    def lasts(self, session: Session) -> bool:
        """Whether a session is not over."""
        return session.ends > self._clock()

    def form_token(self, session: Session) -> str:
        """What a form of this session has to bring along, and no other site can know."""
        return self._sign("form", session.id)

    def is_form_token(self, session: Session, token: str) -> bool:
        """Whether a form was made for this session."""
        return token.isascii() and hmac.compare_digest(token.encode(), self.form_token(session).encode())

    def _sign(self, purpose: str, text: str) -> str:
        digest = hmac.new(self._key, f"{purpose}:{text}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
