"""Acts that wait for a second person, and what became of earlier ones."""

from typing import Final

from aiohttp import web

from streams.console.acts.act import ROLE_OF, ActError
from streams.console.acts.desk import Done, RefusedError
from streams.console.proposals import ProposalError
from streams.console.service import in_thread, service_of
from streams.console.web import PageError, asking, bad_request, needs, posted, render


async def show(request: web.Request) -> web.StreamResponse:
    """The page."""
    proposals = service_of(request).desk.proposals
    return render(
        request,
        "proposals.html",
        waiting=await in_thread(request, proposals.open),
        settled=await in_thread(request, proposals.latest),
        role_of=ROLE_OF,
    )


@needs("reviewer")
async def settle(request: web.Request) -> web.StreamResponse:
    """Agree to a proposal, refuse or withdraw it."""
    service = service_of(request)
    form = await posted(request)
    number, answer = form.get("number", ""), form.get("answer", "")
    if not isinstance(number, str) or not (number.isascii() and number.isdigit()) or len(number) > 18:
        raise bad_request("The form names no proposal.")
    user = asking(request).user
    try:
        match answer:
            case "agreed":
                done: Done = await in_thread(request, service.desk.agree, user, int(number))
                raise web.HTTPSeeOther(f"/act?event={done.event_id}")
            case "refused" | "withdrawn":
                await in_thread(request, service.desk.turn_down, user, int(number), answer)
            case _:
                raise bad_request("The form says neither agreed, refused nor withdrawn.")
    except RefusedError as error:
        raise PageError(403, "Not for you", str(error)) from error
    except (ProposalError, ActError) as error:
        raise PageError(409, "Not so", str(error)) from error
    raise web.HTTPSeeOther("/proposals")


ROUTES: Final = (web.get("/proposals", show), web.post("/proposals", settle))
