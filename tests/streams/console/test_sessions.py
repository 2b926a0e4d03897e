from hypothesis import example, given
from hypothesis import strategies as st

from streams.console.sessions import Sessions

KEY = b"a key of the tests"


def test_a_session_lasts_its_hours_and_no_longer() -> None:
    """A cookie says who and until when, and is worth nothing afterwards."""
    now = [1_000.0]
    sessions = Sessions(KEY, 1, lambda: now[0])
    session, cookie = sessions.begin("alice", "print")
    assert sessions.read(cookie) == session and session.user == "alice"
    now[0] += 3_599
    assert sessions.read(cookie) == session
    now[0] += 2
    assert sessions.read(cookie) is None


@given(st.data())
def test_a_cookie_that_was_changed_is_no_session(data: st.DataObject) -> None:
    """Whatever byte is changed, the signature does not fit."""
    sessions = Sessions(KEY, 1, lambda: 0.0)
    _, cookie = sessions.begin("alice", "print")
    at = data.draw(st.integers(0, len(cookie) - 1))
    char = data.draw(st.characters(codec="utf-8").filter(lambda char: char != cookie[at]))
    changed = cookie[:at] + char + cookie[at + 1 :]
    found = sessions.read(changed)
    # The last character of a base64 text has bits that mean nothing; such a cookie says the same.
    assert found is None or changed.rstrip(char) == cookie[:-1]


@given(st.text(st.characters(exclude_categories=()), max_size=60))
@example("a.\udcff")
def test_any_text_is_no_session(text: str) -> None:
    """Garbage is no error."""
    assert Sessions(KEY, 1, lambda: 0.0).read(text) is None


def test_another_key_knows_nothing_of_it() -> None:
    """A console with another key doesn't take the sessions over."""
    _, cookie = Sessions(KEY, 1).begin("alice", "print")
    assert Sessions(b"another key", 1).read(cookie) is None


def test_a_form_is_of_its_session() -> None:
    """The token of one session's forms is not taken in another one, even of the same person."""
    sessions = Sessions(KEY, 1)
    one, _ = sessions.begin("alice", "print")
    other, _ = sessions.begin("alice", "print")
    assert sessions.is_form_token(one, sessions.form_token(one))
    assert not sessions.is_form_token(other, sessions.form_token(one))
    assert not sessions.is_form_token(one, "") and not sessions.is_form_token(one, "é")
