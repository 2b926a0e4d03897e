import os
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.console import ConsoleSettings
from streams.console.users import User, Users, UsersError, add_user


def test_a_user_that_is_added_comes_in_by_the_token_and_by_no_other(tmp_path: Path) -> None:
    """The token is printed once; the file holds its hash alone, for the owner's eyes."""
    file = tmp_path / "users.toml"
    token = add_user(file, "alice", "reviewer")
    other = add_user(file, "bob", "viewer")
    users = Users(ConsoleSettings(users_file=file))
    found = users.by_token(token)
    assert found is not None and (found.name, found.role) == ("alice", "reviewer")
    assert users.by_token(other) == users.get("bob")
    assert users.by_token(token[:-1]) is None and users.by_token("") is None
    assert token not in file.read_text() and file.stat().st_mode & 0o077 == 0


def test_roles_include_those_below() -> None:
    """An administrator may review, a viewer may only look."""
    admin, viewer = User("a", "admin"), User("v", "viewer")
    assert admin.may("reviewer") and admin.may("viewer")
    assert viewer.may("viewer") and not viewer.may("reviewer") and not viewer.may("admin")


def test_who_is_taken_out_of_the_file_is_out_at_once(tmp_path: Path) -> None:
    """The file is read again when it changes; a slip in it lets nobody in, and nobody out."""
    file = tmp_path / "users.toml"
    token = add_user(file, "alice", "admin")
    users = Users(ConsoleSettings(users_file=file))
    file.write_text("[users.alice\n")
    assert users.by_token(token) is not None
    file.write_text('[users.bob]\nrole = "viewer"\n')
    assert users.by_token(token) is None and users.get("bob") == User("bob", "viewer")
    os.utime(file, (time.time(), time.time() + 5))
    assert len(users) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[users.alice]\nrole = 'boss'\n", "role is one of viewer, reviewer, admin"),
        ("[users.alice]\nrole = 'admin'\ntoken = 'x'\n", "token is not known"),
        ("[users.alice]\nrole = 'admin'\ntoken_sha256 = 'x'\n", "64 hex digits"),
        ("[users.'a b']\nrole = 'admin'\n", "is no name"),
        ("[people.alice]\nrole = 'admin'\n", "only tables [users.NAME]"),
        ("users = [", "not valid TOML"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(tmp_path: Path, text: str, words: str) -> None:
    """Every mistake names the file and what to do."""
    file = tmp_path / "users.toml"
    file.write_text(text)
    with pytest.raises(UsersError, match=r"users\.toml") as caught:
        Users(ConsoleSettings(users_file=file))
    assert words in str(caught.value)


def test_a_name_is_given_once(tmp_path: Path) -> None:
    """A second token for a name would leave it open which counts."""
    file = tmp_path / "users.toml"
    add_user(file, "alice", "viewer")
    with pytest.raises(UsersError, match="alice is in"):
        add_user(file, "alice", "admin")
    with pytest.raises(UsersError, match="is no name"):
        add_user(file, "../alice", "admin")


def test_the_settings_token_is_an_administrators() -> None:
    """One person needs no file; a new token ends sessions that were begun with the old one."""
    first = Users(ConsoleSettings(token=SecretStr("x" * 30)))
    second = Users(ConsoleSettings(token=SecretStr("y" * 30)))
    one, other = first.by_token("x" * 30), second.by_token("y" * 30)
    assert one is not None and other is not None and one.role == "admin"
    assert one.fingerprint != other.fingerprint
