"""The audit trail, for administrators."""

from typing import Final

from aiohttp import web

from streams.console.service import in_thread, service_of
from streams.console.web import asked, asked_number, needs, render

PAGE: Final = 100


@needs("admin")
async def show(request: web.Request) -> web.StreamResponse:
    """The page; it also says whether every entry is as it was written."""
    trail = service_of(request).trail
    before = asked_number(request, "before", 0)
    subject = asked(request, "subject", "")
    return render(
        request,
        "audit.html",
        entries=await in_thread(request, trail.entries, before=before or None, subject=subject, most=PAGE),
        broken=await in_thread(request, trail.verify),
        subject=subject,
        size=PAGE,
    )


ROUTES: Final = (web.get("/audit", show),)
