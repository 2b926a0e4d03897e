"""Who may use the console, and as what: a TOML file of names, roles and hashes of tokens.

    [users.alice]
    role = "reviewer"
    token_sha256 = "9f86d081…"

Tokens are random, so a plain SHA-256 is enough: there is nothing to guess. A user without a token signs in through the
reverse proxy alone. The file is read again when it changes, so that who is taken out of it is out at once.
"""

import hashlib
import hmac
import logging
import os
import re
import secrets
import tomllib
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from msgspec import Struct

from config.console import ConsoleSettings

logger = logging.getLogger("shopwarden.console")

Role: TypeAlias = Literal["viewer", "reviewer", "admin"]
#: From least to most.
ROLES: Final[tuple[Role, ...]] = get_args(Role)
#: The administrator whose token is in the settings.
ADMIN: Final = "admin"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class UsersError(Exception):
    """The users' file can't be used; the message says why and what to do."""


class User(Struct, frozen=True):
    """A person: the role, and the hash of the token, if there is one."""

    name: str
    role: Role
    token_sha256: str = ""

    def may(self, role: Role) -> bool:
        """Whether the person may do what takes a role."""
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def fingerprint(self) -> str:
        """Changes with the token, so that sessions that were begun with another one end."""
        return hashlib.sha256(f"session:{self.token_sha256}".encode()).hexdigest()[:16]


def digest_of(token: str) -> str:
    """The hash of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Users:
    """The people of a console.

    Parameters
    ----------
    settings
        Where they are named.

    Raises
    ------
    UsersError
        The file can't be read, or is not as it should be.
    """

    def __init__(self, settings: ConsoleSettings) -> None:
        self._file = settings.users_file
        self._fixed: dict[str, User] = {}
        if settings.token is not None:
            self._fixed[ADMIN] = User(ADMIN, "admin", digest_of(settings.token.get_secret_value()))
        self._read_at: tuple[int, int] | None = None
        self._users: dict[str, User] = dict(self._fixed)
        if self._file is not None:
            self._users |= _read(self._file)
            self._read_at = _stamp(self._file)

    def admit(self, token: str) -> None:
        """Let an administrator in by a token that is known to nobody else, for as long as this process lasts."""
        self._fixed[ADMIN] = User(ADMIN, "admin", digest_of(token))
        self._users |= self._fixed

    def __len__(self) -> int:
        return len(self._now())

    def get(self, name: str) -> User | None:
        """Who is called so."""
        return self._now().get(name)

    def by_token(self, token: str) -> User | None:
        """Whose token it is. Every hash is compared, each in constant time, so that time says nothing."""
        wanted = digest_of(token).encode()
        found = None
        for user in self._now().values():
            if user.token_sha256 and hmac.compare_digest(user.token_sha256.encode(), wanted):
                found = user
        return found

    def _now(self) -> dict[str, User]:
        if self._file is not None and (stamp := _stamp(self._file)) != self._read_at:
            self._read_at = stamp
            try:
                self._users = self._fixed | _read(self._file)
            except UsersError as error:
                # Whoever was in stays in: a slip of an editor must not lock everybody out, or let anybody in.
                logger.warning("the users' file was changed and can't be used; the people before it stay: %s", error)
        return self._users


def add_user(file: Path, name: str, role: Role) -> str:
    """Add a user to the file, which is made if it is not there; returns the token, which is written nowhere.

    Raises
    ------
    UsersError
        The name is none or is taken, or the file can't be used.
    """
    if not _NAME.fullmatch(name):
        raise UsersError(f"{name!r} is no name: use 1 to 64 letters, digits, '.', '_', '@', '+' or '-'")
    if file.exists() and name in _read(file):
        raise UsersError(f"{name} is in {file} already; take the entry out to give a new token")
    token = secrets.token_urlsafe(32)
    entry = f'[users."{name}"]\nrole = "{role}"\ntoken_sha256 = "{digest_of(token)}"\n'
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as out:
            out.write(("\n" if out.tell() else "") + entry)
    except OSError as error:
        raise UsersError(f"{file} can't be written: {error.strerror or error}") from error
    return token


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read(file: Path) -> dict[str, User]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsersError(f"{file} can't be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsersError(f"{file} is not valid TOML: {error}") from error
    users = document.pop("users", {})
    if document or not isinstance(users, dict):
        raise UsersError(f"{file}: only tables [users.NAME] are known; found {', '.join(document) or 'no table'}")
    return {name: _user(file, name, entry) for name, entry in users.items()}


def _user(file: Path, name: str, entry: Any) -> User:
    if not _NAME.fullmatch(name):
        raise UsersError(f"{file}: {name!r} is no name: use 1 to 64 letters, digits, '.', '_', '@', '+' or '-'")
    if not isinstance(entry, dict) or (unknown := entry.keys() - {"role", "token_sha256"}):
        shown = f"; {', '.join(sorted(unknown))} is not known" if isinstance(entry, dict) else ""
        raise UsersError(f"{file}: users.{name} has a role and, if wanted, a token_sha256{shown}")
    role, digest = entry.get("role"), entry.get("token_sha256", "")
    if role not in ROLES:
        raise UsersError(f"{file}: users.{name}: role is one of {', '.join(ROLES)}, not {role!r}")
    if not isinstance(digest, str) or (digest and not _DIGEST.fullmatch(digest)):
        raise UsersError(
            f"{file}: users.{name}: token_sha256 is 64 hex digits; `shopwarden console --add-user` makes it"
        )
    return User(name, role, digest)
