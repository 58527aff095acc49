"""Tools on single things: search and describe."""

from __future__ import annotations

from publisher import resource
from publisher.errors import NotFound
from publisher.mcp.telling import Teller, hit, plain, short
from publisher.mcp.tools import Answer, Json, Tool, count, text
from publisher.resource import Link

VALUES = 20  # of one property
INCOMING = 20


def tools(teller: Teller) -> list[Tool]:
    """Both."""
    return [search_tool(teller), describe_tool(teller)]


def search_tool(teller: Teller) -> Tool:
    desk = teller.desk
    kinds = ", ".join(
        f"{desk.compact(k)} ({n})" for k in desk.kinds if (n := desk.index.sizes.get(k))
    )

    def run(query: str, kind: str = "", limit: int = 10) -> Answer:
        of = _kind(teller, kind) if kind else ""
        found = desk.index.find(query, kinds=(of,) if of else (), limit=limit)
        hits = [hit(teller, each) for each in found.hits]
        lines = [f"{found.total} found" + (f" for {found.instead}" if found.instead else "")]
        for each in hits:
            more = [each["kind"], each.get("found_by", ""), "retired" if "retired" in each else ""]
            lines.append(
                f"- {short(each['label'])} <{each['iri']}> ({', '.join(m for m in more if m)})"
            )
        data: Json = {"total": found.total, "instead": found.instead, "hits": hits}
        return Answer("\n".join(lines), data)

    about = (
        "Find things by name, synonym, abbreviation or identifier (DOI ...); slips are forgiven."
        f" Kinds: {kinds}."
    )
    takes = {
        "query": text("what to look for"),
        "kind": text("only things of this kind: its name, CURIE or IRI"),
        "limit": count("most hits", 10, 50),
    }
    return Tool("search", "Search", about, takes, ("query",), run)


def _kind(teller: Teller, name: str) -> str:
    desk = teller.desk
    labels = {link.text.lower(): iri for iri, link in teller.linker.iris(desk.kinds).items()}
    found = labels.get(name.strip().lower()) or desk.iri(name.strip())
    if found not in desk.kinds:
        known = ", ".join(desk.compact(kind) for kind in desk.kinds)
        raise NotFound("there is no such kind", where=name[:100], fix=f"one of {known}")
    return found


def describe_tool(teller: Teller) -> Tool:
    about = (
        "Everything the graph says of one thing: kind, definition, properties with names and IRIs,"
        " identifiers elsewhere, and what points to it."
    )
    takes = {"thing": text("IRI, CURIE, identifier, or exact name", 1000)}
    return Tool(
        "describe",
        "Describe a thing",
        about,
        takes,
        ("thing",),
        lambda thing: describe(teller, teller.find(thing)),
    )


def describe(teller: Teller, iri: str) -> Answer:
    """A thing, its values named; what points to it, as far as it fits."""
    desk = teller.desk
    found = resource.read(desk.site.engine, teller.linker, iri)
    if found is None:
        raise NotFound("nothing is said of it", where=iri)
    properties = [
        {
            "property": {"text": p.predicate.text, "iri": p.predicate.iri},
            "values": [_of_link(value) for value in p.values[:VALUES]],
            "more": max(0, len(p.values) - VALUES) + p.more,
        }
        for p in found.properties
    ]
    pointing = resource.incoming(desk.site.engine, teller.linker, iri, limit=INCOMING)
    incoming = [
        {"subject": _of_link(subject), "property": _of_link(predicate)}
        for subject, predicate in pointing[:INCOMING]
    ]
    kind = teller.linker.link(found.kind).text if found.kind else ""
    data: Json = {
        "iri": iri,
        "label": found.label,
        "kind": kind,
        "retired": teller.retired(iri),
        "flags": teller.flags(iri),
        "identifiers": teller.identifiers(iri),
        "properties": properties,
        "incoming": incoming,
        "more_incoming": len(pointing) > INCOMING,
        "release": desk.site.release,
    }
    return Answer(_described(data), data)


def _of_link(link: Link) -> Json:
    more = {"iri": link.iri} if link.iri else {}
    return {"text": link.text, **more, **({"url": link.href} if link.foreign and link.href else {})}


def _described(data: Json) -> str:
    lines = [f"# {short(data['label'])}", f"<{data['iri']}> {data['kind']}".rstrip()]
    if data["flags"]:
        lines.append(f"[{', '.join(data['flags'])}]")
    if data["retired"]:
        lines.append("This was retired: use what replaces it.")
    lines += [f"{i['name']}: {i.get('url', i['value'])}" for i in data["identifiers"]]
    for each in data["properties"]:
        values = "; ".join(plain(value) for value in each["values"])
        more = f"; and {each['more']} more" if each["more"] else ""
        lines.append(f"- {each['property']['text']}: {values}{more}")
    if data["incoming"]:
        lines.append("Pointing here" + (" (the first)" if data["more_incoming"] else "") + ":")
        lines += [
            f"- {plain(each['subject'])}: {each['property']['text']}" for each in data["incoming"]
        ]
    return "\n".join(lines)
