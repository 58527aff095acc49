"""`/shapes`: what must hold of the data, rule by rule; and the page of one shape."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyoxigraph import RdfFormat, parse

from publisher import constraints
from publisher.constraints import Catalogue, Part, Shape, Words
from publisher.downloads import short_turtle
from publisher.errors import NotFound
from publisher.formats import GRAPHS
from publisher.protocol.values import Reply, Request, Site
from publisher.resource import Link, Linker
from publisher.screens.desk import Desk, desk_of, page, shell

FILE = "downloads/shapes.nt"
Sentence = tuple[Link | str, ...]


@dataclass(frozen=True)
class Rule:
    """A shape as the page shows it: names are links."""

    shape: Shape
    link: Link | None
    anchor: str
    targets: tuple[tuple[str, Link], ...]
    path: Sentence
    asks: tuple[Sentence, ...]
    used_by: tuple[Link, ...]
    rules: tuple["Rule", ...]


def catalogue(site: Site) -> Catalogue:
    """The shapes of the release; read once."""
    found = site.shelf.get("shapes")
    if not isinstance(found, Catalogue):
        triples = []
        if FILE in site.manifest.files:
            quads = parse(path=str(site.release_dir / FILE), format=RdfFormat.N_TRIPLES)
            triples = [quad.triple for quad in quads]
        found = site.shelf["shapes"] = constraints.read(triples)
    return found


def shapes(site: Site, request: Request) -> Reply:
    """All shapes on one page; without any there is no such page."""
    desk = desk_of(site)
    known = catalogue(site)
    if not known.shapes:
        raise NotFound("this release has no shapes", where=request.path)
    linker = desk.linker(request)
    links = links_of(linker, known, [*known.aimed, *known.helpers])
    aimed = [rule(links, known, shape) for shape in known.aimed]
    frame = shell(
        desk,
        request,
        "Shapes",
        description="What must hold of the data, in words and as SHACL.",
        alternates=[
            {"rel": "alternate", "type": r.media_type, "href": f"shapes.{r.suffix}", "name": r.name}
            for r in GRAPHS
            if f"downloads/shapes.{r.suffix}" in site.manifest.files
        ],
    )
    return page(
        desk,
        request,
        "shapes.html",
        frame,
        aimed=sorted(aimed, key=lambda r: title(r).lower()),
        title=title,
        helpers=[rule(links, known, shape) for shape in known.helpers],
        rules=known.rules,
        total=len(known.shapes),
    )


def title(shown: Rule) -> str:
    """What a shape is about: the class that it is aimed at, else its own name."""
    return shown.targets[0][1].text if shown.targets else shown.shape.label


def shape_page(desk: Desk, request: Request, iri: str) -> Reply:
    """The page of one shape."""
    known = catalogue(desk.site)
    shape = known.shapes[iri]
    links = links_of(desk.linker(request), known, [shape])
    name = iri.rsplit("/", 1)[-1]
    frame = shell(
        desk,
        request,
        f"Shape {shape.label}",
        description="; ".join(shape.messages),
        canonical=iri,
        alternates=[
            {"rel": "alternate", "type": r.media_type, "href": f"{name}.{r.suffix}", "name": r.name}
            for r in GRAPHS
        ],
        crumbs=(("/shapes", "Shapes: all"),),
    )
    text = short_turtle(constraints.below(known.triples, iri), desk.site.names.prefixes)
    return page(
        desk,
        request,
        "shape.html",
        frame,
        rule=rule(links, known, shape),
        curie=desk.compact(iri),
        iri=iri,
        text=text.partition("\n\n")[2],
    )


def links_of(linker: Linker, known: Catalogue, shown: Iterable[Shape]) -> dict[str, Link]:
    """Links of every name in these shapes; of a shape the link says what it asks."""
    found = linker.iris({iri for shape in shown for iri in _names(shape)})
    return {iri: _titled(link, known) for iri, link in found.items()}


def _titled(link: Link, known: Catalogue) -> Link:
    shape = known.shapes.get(link.iri)
    text = shape.label if shape is not None else link.text
    return Link(text, link.href, link.iri, link.kind, foreign=link.foreign)


def _names(shape: Shape) -> Iterator[str]:
    yield from (part.iri for words in (shape.path, *shape.asks) for part in words if part.iri)
    yield from (iri for _, iri in shape.targets if iri)
    yield from shape.used_by
    if shape.iri:
        yield shape.iri
    for inner in shape.properties:
        yield from _names(inner)


def rule(links: dict[str, Link], known: Catalogue, shape: Shape) -> Rule:
    """A shape with its names as links."""
    return Rule(
        shape,
        links.get(shape.iri),
        shape.iri.rpartition("/")[2].rpartition("#")[2],
        tuple((kind, links.get(iri, Link(iri))) for kind, iri in shape.targets),
        sentence(links, shape.path),
        tuple(sentence(links, words) for words in shape.asks),
        tuple(links[iri] for iri in shape.used_by),
        tuple(sorted((rule(links, known, inner) for inner in shape.properties), key=_by_path)),
    )


def _by_path(shown: Rule) -> str:
    return "".join(p if isinstance(p, str) else p.text for p in shown.path).lower()


def sentence(links: dict[str, Link], words: Words) -> Sentence:
    """Words and links in their order."""
    return tuple(_piece(links, part) for part in words)


def _piece(links: dict[str, Link], part: Part) -> Link | str:
    if part.iri:
        return links[part.iri]
    return Link(part.text, kind="code") if part.code else part.text


__all__: Sequence[str] = ["catalogue", "shape_page", "shapes"]
