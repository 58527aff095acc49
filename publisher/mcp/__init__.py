"""The graph for agents: a Model Context Protocol server over standard input and output.

`protocol` JSON-RPC 2.0 and the protocol's methods; `tools` what a tool is, and whether arguments
fit it; `things`, `evidence`, `asking` the tools over a release; `telling` values as text that a
model reads.
"""

from publisher.mcp import asking, evidence, things
from publisher.mcp.protocol import Server
from publisher.mcp.telling import Teller
from publisher.mcp.tools import Tool
from publisher.protocol.values import Request, Site
from publisher.screens.desk import desk_of


def server_of(site: Site, version: str) -> Server:
    """A server that offers a release; `version` is the software's."""
    name = str(site.graph.get("name", "graph"))
    info = {"name": name, "title": site.title, "version": version}
    return Server(info, guide(site), {tool.name: tool for tool in tools(site)})


def guide(site: Site) -> str:
    """What a model should know before it uses the tools."""
    known = desk_of(site).table("dataset")
    parts = [
        f"{site.title}, release {site.release}, licence {known.get('licence', '')}.",
        str(known.get("description", "")),
        "Cite the IRI of what you use, and the identifiers of its source. Where sources disagree,"
        " give every side. That nothing is recorded does not mean that nothing exists.",
        str(known.get("disclaimer", "")),
    ]
    return "\n".join(part for part in parts if part)


def tools(site: Site) -> list[Tool]:
    """All tools of a release; a graph without pairs has none on them."""
    desk = desk_of(site)
    teller = Teller(desk, desk.linker(Request("GET", "/")))
    on_pairs = evidence.tool(teller)
    return [*things.tools(teller), *([on_pairs] if on_pairs else []), *asking.tools(teller)]


__all__ = ["Server", "server_of"]
