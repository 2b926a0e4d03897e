"""Who comes in, by what, and what is refused before any page is rendered; without a broker."""

from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr, ValidationError

from config.console import ConsoleSettings
from config.settings import Settings
from detectors.judge import Judge
from streams.console.acts.act import Act
from streams.console.acts.desk import Desk
from streams.console.acts.sender import FeedbackSender
from streams.console.buckets import Buckets
from streams.console.index.follower import Follower, Progress
from streams.console.index.harm import Harm
from streams.console.index.reading import IndexReader
from streams.console.index.schema import open_index
from streams.console.live import Live
from streams.console.proposals import Proposals
from streams.console.run import ConsoleError, admit, alone
from streams.console.server import make_app
from streams.console.service import Service
from streams.console.sessions import COOKIE, Sessions
from streams.console.state import StateError, StateReader
from streams.console.templating import make_environment
from streams.console.trail import Trail
from streams.console.users import Users, add_user
from streams.evaluation.archive_run import evaluation_judge
from streams.telemetry.console_metrics import ConsoleMetrics

Client: TypeAlias = "TestClient[web.Request, web.Application]"
Start: TypeAlias = Callable[..., Awaitable[Client]]


#: All addresses of a machine.
ANY = "0.0.0.0"  # noqa: S104 - nothing is bound to it here


class _Still:
    """A follower that follows nothing."""

    running = True
    latest = 0
    progress = Progress(behind=False)


class _Away:
    """Redis is not there."""

    def present(self, *_: object) -> Any:
        """What is stored."""
        raise StateError("Redis is away")

    def model_metrics(self) -> Any:
        """What the models say."""
        raise StateError("Redis is away")


@pytest.fixture(scope="module")
def judge() -> Judge:
    """The packaged policies, compiled once."""
    return evaluation_judge(Settings())


@pytest.fixture
async def start(tmp_path: Path, judge: Judge) -> AsyncIterator[Start]:
    """Start a console with settings of its own on an empty index; the client follows no redirects by itself."""
    clients: list[Client] = []

    async def run(**changes: Any) -> Client:
        settings = Settings(console=ConsoleSettings(folder=tmp_path, **changes))
        open_index(tmp_path / "index.db", "here").close()
        index = IndexReader(tmp_path / "index.db")
        trail = Trail(tmp_path / "trail.db")
        harm = Harm.by(judge.policies)
        console = settings.console
        proposals = Proposals(trail, console.proposal_hours)
        service = Service(
            settings=settings, judge=judge, follower=cast("Follower", _Still()), index=index,
            states=cast("StateReader", _Away()), trail=trail, users=Users(console), sessions=Sessions(b"k", 1),
            desk=Desk(console, index, trail, proposals, FeedbackSender(settings), harm), harm=harm,
            live=Live(lambda: "<p>now</p>\n<p>two lines</p>"), templates=make_environment(),
            threads=ThreadPoolExecutor(1), metrics=ConsoleMetrics(), tries=Buckets(3, 60),
        )  # fmt: skip
        client: Client = TestClient(TestServer(make_app(service)))
        await client.start_server()
        clients.append(client)
        return client

    yield run
    for client in clients:
        await client.close()


@pytest.fixture
def people(tmp_path: Path) -> dict[str, Any]:
    """A users' file with one person of each role, and their tokens."""
    file = tmp_path / "users.toml"
    tokens = {role: add_user(file, role, role) for role in ("viewer", "reviewer", "admin")}

    def retire() -> None:
        file.write_text('[users.somebody]\nrole = "viewer"\n')

    return {"file": str(file), "tokens": tokens, "retire": retire}


async def enter(client: Client, token: str) -> int:
    """Sign in; the status of the answer."""
    answer = await client.post("/sign-in", data={"token": token}, allow_redirects=False)
    return answer.status


async def test_only_a_token_comes_in(start: Start, people: dict[str, Any]) -> None:
    """Pages lead to the form, scripts are told so, a token gives a cookie for this site and no script."""
    client = await start(users_file=people["file"])
    answer = await client.get("/queue", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    assert (await client.get("/queue", headers={"Accept": "application/json"})).status == 401
    assert (await client.post("/act", data={"kind": "verdict"})).status == 401
    assert (await client.get("/live")).status == 401
    assert await enter(client, "a guess") == 401
    answer = await client.post("/sign-in", data={"token": people["tokens"]["viewer"]}, allow_redirects=False)
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and not cookie["secure"]
    page = await client.get("/queue")
    assert page.status == 200 and "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


async def test_probes_need_nobody(start: Start, people: dict[str, Any]) -> None:
    """Liveness and readiness are open, and say nothing else."""
    client = await start(users_file=people["file"])
    assert (await client.get("/health")).status == 200
    assert await (await client.get("/ready")).json() == {"ready": True, "behind": False}


async def test_guessing_is_slow(start: Start, people: dict[str, Any]) -> None:
    """After three tries from an address even the right token has to wait."""
    client = await start(users_file=people["file"])
    assert [await enter(client, "a guess") for _ in range(3)] == [401, 401, 401]
    assert await enter(client, people["tokens"]["admin"]) == 429


async def test_guesses_do_not_fill_the_trail(start: Start, people: dict[str, Any], tmp_path: Path) -> None:
    """Entries are kept for ever, so a flood of tries has only some."""
    client = await start(users_file=people["file"])
    assert {await enter(client, "a guess") for _ in range(40)} == {401, 429}
    trail = Trail(tmp_path / "trail.db")
    # Three a minute of either kind, and a few more if the machine was slow.
    assert 2 <= len(trail.entries()) < 20
    trail.close()


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded; charset=none", "multipart/form-data"])
async def test_what_is_no_form_is_said(start: Start, people: dict[str, Any], kind: str) -> None:
    """An encoding that is none, and parts without a border, are the sender's mistake."""
    client = await start(users_file=people["file"])
    answer = await client.post("/sign-in", data=b"token=\xff", headers={"Content-Type": kind})
    assert answer.status == 400 and "form can&#39;t be read" in await answer.text()


async def test_only_who_might_do_it_turns_a_proposal_down(start: Start, people: dict[str, Any], tmp_path: Path) -> None:
    """What takes an administrator is not refused by a reviewer; and a number that is none is said."""
    client = await start(users_file=people["file"])
    trail = Trail(tmp_path / "trail.db")
    act = Act(kind="take", party_kind="merchant", party="m1", action="suspend_merchant", policy="fraud", why="x")
    number = str(Proposals(trail, 48).make("somebody", act, "it is severe"))
    await enter(client, people["tokens"]["reviewer"])
    page = await (await client.get("/queue")).text()
    form = {"form_token": page.split('name="form_token" value="')[1].split('"')[0], "answer": "refused"}
    assert (await client.post("/proposals", data=form | {"number": number})).status == 403
    assert (await client.post("/proposals", data=form | {"number": "²"})).status == 400
    assert len(Proposals(trail, 48).open()) == 1
    trail.close()


async def test_a_form_of_another_site_is_refused(start: Start, people: dict[str, Any]) -> None:
    """Without the session's token, with another one's, or where the browser says that it comes from elsewhere."""
    client = await start(users_file=people["file"])
    await enter(client, people["tokens"]["reviewer"])
    assert (await client.post("/act", data={"kind": "verdict"})).status == 403
    assert (await client.post("/act", data={"kind": "verdict", "form_token": "x"})).status == 403
    page = await (await client.get("/queue")).text()
    token = page.split('name="form_token" value="')[1].split('"')[0]
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert (await client.post("/act", data={"form_token": token}, headers=elsewhere)).status == 403
    answer = await client.post("/act", data={"form_token": token, "kind": "verdict"})
    assert answer.status == 400 and "not complete" in await answer.text()


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"kind": "verdict", "verdict": "clean", "decision_id": "gone"}, 400, "no decision &#39;gone&#39; is known"),
        ({"kind": "snooze", "policy": "x", "days": "soon", "why": "x"}, 400, "no number of days"),
        ({"kind": "snooze", "policy": "x", "days": "nan", "why": "x"}, 400, "between 0 and"),
        ({"kind": "snooze", "policy": "x", "days": "-1", "why": "x"}, 400, "between 0 and"),
        ({"kind": "snooze", "policy": "x", "days": "1", "why": "x" * 300}, 400, "256 are accepted"),
        ({"kind": "dance"}, 400, "not complete"),
        ({"kind": "take", "action": "warn", "policy": "fraud", "why": "x"}, 403, "takes the role admin"),
    ],
)
async def test_what_can_not_be_meant_is_said(
    start: Start, people: dict[str, Any], fields: dict[str, str], status: int, words: str
) -> None:
    """A form with a mistake ends in a page with words, and nothing is sent."""
    client = await start(users_file=people["file"])
    await enter(client, people["tokens"]["reviewer"])
    page = await (await client.get("/queue")).text()
    token = page.split('name="form_token" value="')[1].split('"')[0]
    party = {"form_token": token, "party_kind": "merchant", "party": "m1"}
    answer = await client.post("/act", data=party | fields)
    assert answer.status == status and words in await answer.text()


async def test_who_is_taken_out_is_signed_out(start: Start, people: dict[str, Any]) -> None:
    """A session is worth nothing once its user is not in the file, or has another token."""
    client = await start(users_file=people["file"])
    await enter(client, people["tokens"]["viewer"])
    assert (await client.get("/queue", allow_redirects=False)).status == 200
    people["retire"]()
    assert (await client.get("/queue", allow_redirects=False)).status == 303


async def test_a_proxy_that_is_trusted_says_who_asks(start: Start, people: dict[str, Any]) -> None:
    """By its header, for people in the file; from any other address the header is nothing."""
    named = {"X-Forwarded-User": "admin"}
    given = {"users_file": people["file"], "proxy_user_header": "X-Forwarded-User"}
    client = await start(**given, trusted_proxies="127.0.0.0/8, ::1")
    answer = await client.get("/audit", headers=named)
    assert answer.status == 200 and COOKIE in answer.cookies
    assert (await client.get("/audit", headers={"X-Forwarded-User": "viewer"})).status == 403
    assert (await client.get("/", headers={"X-Forwarded-User": "nobody"})).status == 403
    twice = [("X-Forwarded-User", "viewer"), ("X-Forwarded-User", "admin")]
    client.session.cookie_jar.clear()
    assert (await client.get("/audit", headers=twice, allow_redirects=False)).status == 303
    other = await start(**given, trusted_proxies="10.0.0.0/8")
    assert (await other.get("/audit", headers=named, allow_redirects=False)).status == 303


async def test_the_live_view_is_sent_as_events(start: Start, people: dict[str, Any]) -> None:
    """Each line of the fragment is a line of data, and a blank line ends the event."""
    client = await start(users_file=people["file"])
    await enter(client, people["tokens"]["viewer"])
    answer = await client.get("/live")
    assert answer.content_type == "text/event-stream"
    assert await answer.content.readuntil(b"\n\n") == b"event: now\ndata: <p>now</p>\ndata: <p>two lines</p>\n\n"
    answer.close()


async def test_the_live_view_ends_with_the_session(start: Start, people: dict[str, Any]) -> None:
    """Who is taken out of the users' file sees no more of it, though no page is asked for."""
    client = await start(users_file=people["file"])
    await enter(client, people["tokens"]["viewer"])
    answer = await client.get("/live")
    await answer.content.readuntil(b"\n\n")
    people["retire"]()
    await answer.content.read()
    assert answer.content.at_eof()
    answer.close()


async def test_empty_pages_are_pages(start: Start, people: dict[str, Any]) -> None:
    """With nothing in the index and Redis away every page says so."""
    client = await start(users_file=people["file"])
    await enter(client, people["tokens"]["admin"])
    for path in (
        "/",
        "/queue",
        "/merchants",
        "/creators",
        "/policies",
        "/metrics",
        "/models",
        "/dead-letters",
        "/audit",
    ):
        answer = await client.get(path)
        assert answer.status == 200, (path, await answer.text())
    assert "Redis is away" in await (await client.get("/models")).text()


def test_nobody_is_served_whom_nobody_knows(tmp_path: Path) -> None:
    """On loopback a token is made up; on any other address the console does not start without people."""
    users, token = admit(Settings(console=ConsoleSettings(folder=tmp_path)))
    found = users.by_token(token)
    assert len(token) > 30 and found is not None and found.role == "admin"
    for host in (ANY, "::", "192.168.1.7", "console.example"):
        with pytest.raises(ConsoleError, match="nobody could sign in"):
            admit(Settings(console=ConsoleSettings(host=host)))
    _, none = admit(Settings(console=ConsoleSettings(host=ANY, token=SecretStr("t" * 30))))
    assert none == ""


def test_one_folder_is_one_consoles(tmp_path: Path) -> None:
    """A second one says so, and has it once the first has ended."""
    with alone(tmp_path / "files"):
        with pytest.raises(ConsoleError, match="another console is at work"), alone(tmp_path / "files"):
            pass
        with alone(tmp_path / "others"):
            pass
    with alone(tmp_path / "files"):
        pass


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "short"},
        {"session_key": "short"},
        {"trusted_proxies": "10.0.0.0/99"},
        {"proxy_user_header": "X-User"},
        {"proxy_user_header": "X-User", "trusted_proxies": "10.0.0.1"},
        {"proxy_user_header": "no header", "trusted_proxies": "10.0.0.1", "users_file": "u"},
        {"index_share": 0},
    ],
)
def test_settings_that_protect_nobody_are_refused(wrong: dict[str, Any]) -> None:
    """Weak secrets, proxies that can't be, and headers that anybody could send."""
    with pytest.raises(ValidationError):
        ConsoleSettings(**wrong)
