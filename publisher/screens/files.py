"""`/static/…`: style, script and pictures; their names change with their content."""

from publisher.errors import NotFound
from publisher.pages import ASSETS
from publisher.protocol.delivery import choose_coding
from publisher.protocol.values import Reply, Request, Site

FOR_EVER = "public, max-age=31536000, immutable"


def static(site: Site, request: Request, name: str) -> Reply:  # noqa: ARG001 - every handler has it
    """The asset of this name, packed as the client likes it."""
    asset = ASSETS.by_path.get(name)
    if asset is None:
        raise NotFound("there is no such file", where=request.path)
    coding = choose_coding(request.headers.get("accept-encoding"), tuple(asset.packed))
    body = asset.packed[coding] if coding else asset.body
    packed = (("content-encoding", coding),) if coding else ()
    return Reply(
        200,
        (
            ("content-type", asset.content_type),
            ("cache-control", FOR_EVER),
            ("vary", "Accept-Encoding"),
            ("etag", f'"{asset.name}{"-" + coding if coding else ""}"'),
            *packed,
        ),
        body,
    )
