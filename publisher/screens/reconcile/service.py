"""The manifest ("Service Manifest"), and which service a request wants."""

from typing import Any

from publisher import __version__
from publisher.errors import BadRequest, MethodNotAllowed, UnsupportedMedia
from publisher.protocol import forms
from publisher.protocol.values import Reply, Request, Site
from publisher.screens.desk import Desk, desk_of
from publisher.screens.reconcile.candidates import BATCH, results
from publisher.screens.reconcile.extension import extended
from publisher.screens.reconcile.identity import all_named, answer, read_json
from publisher.screens.reconcile.suggest import PREVIEW_HEIGHT, PREVIEW_WIDTH

SERVICES = ("queries", "extend")


def reconcile(site: Site, request: Request) -> Reply:
    """The manifest; with `queries` candidates, with `extend` values (GET, or POST of a form)."""
    if request.method not in ("GET", "HEAD", "POST"):
        raise MethodNotAllowed("send GET or POST", allowed=("GET", "HEAD", "POST"))
    desk = desk_of(site)
    posted = request.method == "POST"
    fields = dict(request.arguments)
    if posted:
        kind, _ = forms.content_type(request.headers.get("content-type", ""))
        if kind not in forms.FORMS:
            raise UnsupportedMedia(
                f"queries do not come as {kind or 'a body without a media type'}",
                fix=f"send {forms.FORM} with a field queries",
            )
        fields |= {value.name: value.text for value in forms.fields(request)}
    asked = [name for name in SERVICES if name in fields]
    if len(asked) > 1:
        raise BadRequest("ask either for candidates or for values", fix="queries or extend")
    if not asked:
        if posted:
            raise BadRequest("there are no queries", fix="send them in the field queries, as JSON")
        return answer(manifest(desk, request))
    content = read_json(fields[asked[0]], asked[0])
    found = results(desk, content) if asked == ["queries"] else extended(desk, content)
    return answer(found, kept=not posted)


def manifest(desk: Desk, request: Request) -> dict[str, Any]:
    """What the service is and can do."""
    base = desk.site.names.base
    own = request.url("")
    kinds = [kind for kind in desk.kinds if desk.index.sizes.get(kind)]
    shown = int(desk.table("search").get("shown", len(kinds)))

    def suggested(what: str) -> dict[str, str]:
        return {
            "service_url": own,
            "service_path": f"/reconcile/suggest/{what}",
            "flyout_service_url": own,
            "flyout_service_path": f"/reconcile/flyout/{what}?id=${{id}}",
        }

    return {
        "versions": ["0.2"],
        "name": desk.site.title,
        "identifierSpace": base,
        "schemaSpace": str(desk.settings.get("vocabulary", base)) + "#",
        "documentation": request.url("/dataset"),
        "serviceVersion": f"{__version__}, release {desk.site.release}",
        "batchSize": BATCH,
        "view": {"url": request.url("/reconcile/view?id={{id}}")},
        "defaultTypes": all_named(desk, kinds[:shown]),
        "preview": {
            "url": request.url("/reconcile/preview?id={{id}}"),
            "width": PREVIEW_WIDTH,
            "height": PREVIEW_HEIGHT,
        },
        "suggest": {what: suggested(what) for what in ("entity", "type", "property")},
        "extend": {
            "propose_properties": {
                "service_url": own,
                "service_path": "/reconcile/properties",
            },
            "property_settings": [
                {
                    "name": "limit",
                    "label": "Limit",
                    "type": "number",
                    "default": 0,
                    "help_text": "Most values to fetch of each thing; 0 for all",
                }
            ],
        },
    }
