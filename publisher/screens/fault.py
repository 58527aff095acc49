"""The page of an error; it must not fail itself."""

import logging
from http import HTTPStatus

from publisher.errors import PublisherError
from publisher.pages import render
from publisher.protocol.values import Request, Site
from publisher.screens.desk import desk_of, shell

log = logging.getLogger("publisher.screens")


def error_page(site: Site, request: Request, status: int, error: PublisherError) -> bytes | None:
    """The page, or None when it cannot be made (then the plain one of `problems` stands in)."""
    phrase = HTTPStatus(status).phrase
    try:
        desk = desk_of(site)
        return render(
            "error.html",
            shell(desk, request, f"{status} {phrase}"),
            status=status,
            phrase=phrase,
            what=error.what,
            where=error.where[:500],
            fix=error.fix,
            guess=_guess(request.path),
            id=request.id,
        )
    except Exception:
        log.exception("the page of an error failed")
        return None


def _guess(path: str) -> str:
    """What somebody may have looked for; bytes that are no text become question marks."""
    last = path.rsplit("/", 1)[-1].encode("utf-8", "replace").decode()
    return last.replace("_", " ").replace("-", " ")[:100]
