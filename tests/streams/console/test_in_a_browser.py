"""The console in Chromium, on a simulated marketplace: what people see, what they do, and what comes of it."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from streams.clients import kafka_config
from streams.demo.console import DemoConsole
from streams.reading import TopicReader, read_to_end
from tests.streams.console.running import PATIENCE_S, Marketplace, decode, marketplace, until

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(600)]

EVENTS = 12_000
MS = PATIENCE_S * 1000
PAGES = (
    "/", "/queue", "/queue?show=appeals", "/proposals", "/merchants", "/merchants?level=high", "/creators", "/policies",
    "/metrics", "/models", "/dead-letters", "/audit", "/search", "/search?q=nothing-has-this-id",
)  # fmt: skip
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}
SignIn: TypeAlias = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marketplace]:
    """A marketplace that was played and judged, with a console on it."""
    with marketplace(tmp_path_factory.mktemp("console"), EVENTS) as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def cookies(market: Marketplace, browser: Browser) -> dict[str, Any]:
    """The sessions of all users, who each signed in once, by the address that the console prints."""
    found: dict[str, Any] = {}
    for name, token in market.tokens.items():
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{market.address}/sign-in#token={token}")
        page.wait_for_url(f"{market.address}/", timeout=MS)
        found[name] = context.storage_state()
        context.close()
    return found


@pytest.fixture
def sign_in(market: Marketplace, browser: Browser, cookies: dict[str, Any]) -> SignIn:
    """A page of a user whose browser must have nothing to complain of at the end, but what is ``expected``."""

    @contextmanager
    def enter(name: str, look: str = "light", expected: int = 0) -> Iterator[Page]:
        context: BrowserContext = browser.new_context(storage_state=cookies[name], **LOOKS[look])
        context.set_default_timeout(MS)
        page = context.new_page()
        complaints: list[str] = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{market.address}/")
        yield page
        assert len(complaints) == expected, complaints
        context.close()

    return enter


def the(page: Page, market: Marketplace, path: str) -> Page:
    """The page at a path, which must be there."""
    response = page.goto(market.address + path)
    assert response is not None and response.status == 200, (
        path,
        response and response.status,
        page.inner_text("body"),
    )
    return page


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_opens(market: Marketplace, sign_in: SignIn, look: str) -> None:
    """In light, dark and on a phone: each has a heading and fits the screen, and the browser does not complain."""
    with sign_in("ada", look) as page:
        paths = list(PAGES)
        the(page, market, "/queue")
        links = [link.get_attribute("href") or "" for link in page.locator(".queue a").all()]
        for kind in ("/decision?", "/merchant?", "/order?", "/listing?", "/policy?"):
            paths += [link for link in links if link.startswith(kind)][:1]
        the(page, market, "/creators")
        paths += [link.get_attribute("href") or "" for link in page.locator("main a[href^='/creator?']").all()[:1]]
        the(page, market, "/merchants")
        merchant = page.locator("main a[href^='/merchant?']").first.get_attribute("href") or ""
        the(page, market, merchant)
        paths += [link.get_attribute("href") or "" for link in page.locator("a[href^='/listing?']").all()[:1]]
        for path in dict.fromkeys(paths):
            the(page, market, path)
            assert page.locator("h1").count() == 1 and page.locator("main").count() == 1, path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide ({look})"
            unnamed = page.evaluate(
                "[...document.querySelectorAll('input:not([type=hidden]), select, button')]"
                ".filter(each => !each.labels?.length && !each.textContent.trim() && !each.ariaLabel).length"
            )
            assert not unnamed, f"{path} has a field without a name"


def test_what_happens_now_is_live(market: Marketplace, sign_in: SignIn) -> None:
    """The page says that it is live once the server's first event has come."""
    with sign_in("vera") as page:
        expect(page.locator("#pulse")).to_have_text("live", timeout=MS)
        assert page.locator("#live table tbody tr").count() > 0


def test_a_verdict_is_carried_to_its_effect(market: Marketplace, sign_in: SignIn) -> None:
    """By the keyboard alone: j chooses, c twice says clean; the standing of the merchant does not list it any more."""
    with sign_in("rita") as page:
        the(page, market, "/queue")
        card = page.locator(".queue .card").first
        decision, kind, party = _of(card)
        assert decision in market.in_force(kind, party)
        page.keyboard.press("j")
        expect(card).to_have_class("card chosen")
        page.keyboard.press("c")
        expect(card.locator("button.good")).to_have_class("good armed")
        page.keyboard.press("c")
        expect(card.locator(".result")).to_have_text("Applied.", timeout=MS)
        until(lambda: decision not in market.in_force(kind, party), "its end in the standing")
        the(page, market, f"/decision?id={quote(decision)}")
        expect(page.locator("h1 .state")).to_have_text("ended")
        assert "rita sent" in page.inner_text("main")


def test_a_violation_is_carried_out(market: Marketplace, sign_in: SignIn) -> None:
    """What a person confirms leaves the queue, and the act's own page shows what followed."""
    with sign_in("rob") as page:
        the(page, market, "/queue")
        # Suspending and closing take a second person, and the first card is another test's.
        mild = page.locator(".queue .card").filter(has_not=page.get_by_role("link", name=re.compile("suspend|close")))
        decision, _, _ = _of(mild.last)
        the(page, market, f"/decision?id={quote(decision)}")
        page.get_by_role("button", name="Violation").click()
        page.wait_for_url("**/act?event=*")
        expect(page.locator(".progress")).to_have_attribute("data-state", "applied", timeout=MS)
        card = f".card[data-open='/decision?id={quote(decision)}']"
        until(lambda: not the(page, market, "/queue").locator(card).count(), "its leaving the queue")


def test_an_appeal_is_carried_to_its_effect(market: Marketplace, sign_in: SignIn) -> None:
    """Filed by one and overturned by another: what was in force ends, and the standing says so."""
    with sign_in("rita") as page:
        decision, kind, party = _mild_in_force(page, market)
        the(page, market, f"/decision?id={quote(decision)}")
        page.get_by_role("button", name="File an appeal for them").click()
        expect(page.locator(".progress")).to_have_attribute("data-state", "applied", timeout=MS)
        assert "appeal noted" in page.inner_text(".progress")
        appeals = until(lambda: market.standing(kind, party).get("appeals"), "the appeal in the standing")
        assert [each["decision_id"] for each in appeals] == [decision]
    # Not by somebody who may have confirmed it in another test.
    with sign_in("art") as page:
        the(page, market, "/queue?show=appeals")
        card = page.locator(f".card[data-open='/decision?id={quote(decision)}']")
        card.get_by_role("button", name="overturned").click()
        expect(card.locator(".result")).to_have_text("Applied.", timeout=MS)
    until(lambda: decision not in market.in_force(kind, party), "its end in the standing")
    assert not market.standing(kind, party).get("appeals")


def test_severe_acts_take_a_second_person(market: Marketplace, sign_in: SignIn) -> None:
    """One administrator proposes to suspend and can't agree; when another one does, the merchant is suspended."""
    with sign_in("ada", expected=1) as page:
        the(page, market, "/merchants?level=low")
        merchant = page.locator("main a[href^='/merchant?']").first.inner_text()
        the(page, market, f"/merchant?id={quote(merchant)}")
        form = page.locator("form", has=page.get_by_role("heading", name="Take an action"))
        form.get_by_label("Action").select_option("suspend_merchant")
        form.get_by_label("Reason").fill("found out")
        form.get_by_role("button", name="Take").click()
        page.wait_for_url("**/proposals")
        card = page.locator("article.card", has_text=merchant)
        expect(card).to_contain_text("suspend_merchant is severe")
        assert card.get_by_role("button").all_inner_texts() == ["Withdraw"]
        number = card.locator("input[name=number]").input_value()
        token = card.locator("input[name=form_token]").input_value()
        own = _post(page, "/proposals", {"form_token": token, "number": number, "answer": "agreed"})
        assert own["status"] == 409 and "proposed it yourself" in own["text"]
        assert "suspend_merchant" not in _actions(market, merchant)
    with sign_in("rita") as page:
        the(page, market, "/proposals")
        assert not page.locator("article.card", has_text=merchant).get_by_role("button").count()
    with sign_in("art") as page:
        the(page, market, "/proposals")
        page.locator("article.card", has_text=merchant).get_by_role("button", name="Agree").click()
        page.wait_for_url("**/act?event=*")
        expect(page.locator(".progress")).to_have_attribute("data-state", "applied", timeout=MS)
    until(lambda: "suspend_merchant" in _actions(market, merchant), "the suspension in the standing")


def test_roles_are_kept(market: Marketplace, sign_in: SignIn) -> None:
    """A viewer has no buttons, and what is sent without them is refused; the trail is for administrators."""
    with sign_in("vera", expected=3) as page:
        the(page, market, "/queue")
        assert page.locator(".queue button").count() == 0
        decision, kind, party = _of(page.locator(".queue .card").first)
        token = page.locator("input[name=form_token]").first.input_value()
        act = {"kind": "verdict", "verdict": "clean", "party_kind": kind, "party": party, "decision_id": decision}
        refused = _post(page, "/act", act | {"form_token": token})
        assert refused["status"] == 403 and "takes the role reviewer" in refused["text"]
        assert _post(page, "/act", act | {"form_token": "made up"})["status"] == 403
        response = page.goto(market.address + "/audit")
        assert response is not None and response.status == 403
    with sign_in("rita", expected=1) as page:
        the(page, market, f"/{kind}?id={quote(party)}")
        assert page.get_by_role("heading", name="Snooze a rule").count() == 1
        assert page.get_by_role("heading", name="Take an action").count() == 0
        token = page.locator("input[name=form_token]").first.input_value()
        take = {"kind": "take", "party_kind": kind, "party": party, "action": "warn", "policy": "fraud", "why": "x"}
        assert _post(page, "/act", take | {"form_token": token})["status"] == 403
    with sign_in("ada") as page:
        the(page, market, "/audit")
        trail = page.inner_text("main")
        assert "as it was written" in trail and "refused" in trail and "takes the role" in trail


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/merchant?id=nobody", 404, "is known here"),
        ("/decision?id=none", 404, "is known here"),
        ("/order?id=none", 404, "is known here"),
        ("/listing?id=none", 404, "is known here"),
        ("/policy?id=none", 404, "is known"),
        ("/nothing", 404, "no such page"),
        ("/merchant", 400, "names no id"),
        (f"/merchant?id={'x' * 200}", 400, "at most 128"),
        ("/queue?skip=-1", 400, "not a number"),
        ("/merchants?level=bad", 400, "Levels are"),
        ("/search?q=%3Cscript%3Ealert(1)%3C/script%3E", 200, "Nothing has this id"),
    ],
)
def test_what_is_not_there_is_said(market: Marketplace, sign_in: SignIn, path: str, status: int, words: str) -> None:
    """Unknown ids and bad input end in a page with words; markup in an id is text."""
    with sign_in("vera", expected=int(status != 200)) as page:
        response = page.goto(market.address + path)
        assert response is not None and response.status == status
        assert words in page.inner_text("main")


def test_nobody_looks_without_signing_in(market: Marketplace, browser: Browser) -> None:
    """Pages send to the form, a wrong token is refused, and no page of the console fetches anything from elsewhere."""
    context = browser.new_context()
    page = context.new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(market.address + "/queue")
    assert page.url == market.address + "/sign-in"
    page.get_by_label("Token").fill("a guess")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Nobody has this token.")
    page.get_by_label("Token").fill(market.tokens["vera"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(market.address + "/")
    cookie = context.cookies()[0]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(market.address + "/sign-in")
    assert page.goto(market.address + "/merchants") and page.url == market.address + "/sign-in"
    assert all(url.startswith(market.address) for url in fetched)
    context.close()


def test_the_demos_console_prints_where_to_sign_in(market: Marketplace, browser: Browser, tmp_path: Path) -> None:
    """Nobody is named, so it makes a token up, and whoever follows the address is its administrator."""
    with DemoConsole(tmp_path, market.values) as console:
        assert "sign in at" in console.await_address()
        page = browser.new_page()
        page.goto(console.address)
        expect(page.locator(".who")).to_contain_text("admin", timeout=MS)
        page.close()


def _of(card: Any) -> tuple[str, Any, str]:
    """The decision of a card of the queue, and whose it is."""
    decision = parse_qs(urlsplit(card.get_attribute("data-open") or "").query)["id"][0]
    party = card.locator("h2 a[href^='/merchant?'], h2 a[href^='/creator?']").first.get_attribute("href") or ""
    return decision, urlsplit(party).path[1:], parse_qs(urlsplit(party).query)["id"][0]


def _mild_in_force(page: Page, market: Marketplace) -> tuple[str, Any, str]:
    """A decision in force that one person may overturn: mild, and with little money at risk."""
    for level in ("guarded", "elevated", "high", "low"):
        the(page, market, f"/merchants?level={level}")
        for name in [link.inner_text() for link in page.locator("main a[href^='/merchant?']").all()[:20]]:
            for decision, each in market.in_force("merchant", name).items():
                mild = each["action"] in ("demote_listing", "limit_orders", "block_new_listings", "remove_listing")
                if mild and not each.get("requires_review"):
                    return decision, "merchant", name
    raise AssertionError("nothing mild is in force")


def _actions(market: Marketplace, merchant: str) -> set[str]:
    return {each["action"] for each in market.in_force("merchant", merchant).values()}


def _post(page: Page, path: str, form: dict[str, str]) -> dict[str, Any]:
    """What comes of a form that no button of the page sends."""
    found: dict[str, Any] = page.evaluate(
        "async ([path, form]) => { const answer = await fetch(path, {method: 'POST', body: new URLSearchParams(form),"
        " headers: {Accept: 'application/json'}}); return {status: answer.status, text: await answer.text()} }",
        [path, form],
    )
    return found


def test_the_folder_holds_no_person(market: Marketplace, tmp_path: Path) -> None:
    """Neither buyers' nor devices' names of the input are in the index."""
    persons: set[str] = set()
    with TopicReader(kafka_config(market.settings), [market.settings.topics.orders]) as reader:
        for message in read_to_end(reader):
            value = decode(message.value() or b"{}")
            persons |= {value[name] for name in ("buyer_id", "device_id") if value.get(name)}
    assert len(persons) > 100
    index = b"".join(file.read_bytes() for file in sorted((market.folder / "console-files").glob("index.db*")))
    assert not [person for person in persons if person.encode() in index]
