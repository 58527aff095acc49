"""Data about the data: VoID and DCAT, every number counted.

The core description is part of the dataset it describes, so its counts include itself: it is made
again until it says its own size. What is said of the download files (sizes, sums) cannot be inside
them and stands only in `description.ttl`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from publisher.downloads import Written
from publisher.errors import ReleaseError
from publisher.graph import Graph
from publisher.names import slug

RDF_TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_XSD = "http://www.w3.org/2001/XMLSchema#"
_SPACES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "void": "http://rdfs.org/ns/void#",
}
_Value = str | int | ox.NamedNode | ox.Literal


@dataclass(frozen=True)
class Download:
    """One file of the release: its path under it, its media type, its size and sum."""

    path: str
    media_type: str
    written: Written
    title: str


@dataclass
class Counts:
    """What there is to count, kept up as triples are added; no triple is counted twice."""

    triples: int
    subjects: set[str]
    classes: Counter[str]
    properties: Counter[str]

    @staticmethod
    def of(triples: Iterable[ox.Triple]) -> Counts:
        counts = Counts(0, set(), Counter(), Counter())
        counts.add(triples)
        return counts

    def add(self, triples: Iterable[ox.Triple]) -> None:
        for triple in triples:
            self.triples += 1
            self.subjects.add(_named(triple.subject))
            self.properties[triple.predicate.value] += 1
            if triple.predicate == RDF_TYPE and isinstance(triple.object, ox.NamedNode):
                self.classes[triple.object.value] += 1

    def copy(self) -> Counts:
        return Counts(
            self.triples, set(self.subjects), Counter(self.classes), Counter(self.properties)
        )


@dataclass(frozen=True)
class Part:
    """One named graph: how many triples, and what it is about where it is about one thing."""

    triples: int
    topic: str = ""


def core(
    about: Graph,
    version: str,
    content: Iterable[ox.Triple],
    linksets: Mapping[str, int],
    parts: Mapping[str, Part],
) -> list[ox.Triple]:
    """The description that belongs to the dataset; its counts include its own statements.

    `parts` are the named graphs but the one that the description itself makes.
    """
    own: list[ox.Triple] = []
    base = Counts.of(content)
    for _ in range(10):
        counts = base.copy()
        counts.add(own)
        everything = {**parts, about.dataset_graph: Part(len(own), about.dataset.iri)}
        again = list(dict.fromkeys(_core(about, version, counts, linksets, everything)))
        if again == own:
            return own
        own = again
    raise ReleaseError("the description does not come to agree with its own size")


def _core(
    about: Graph,
    version: str,
    counts: Counts,
    linksets: Mapping[str, int],
    parts: Mapping[str, Part],
) -> Iterator[ox.Triple]:
    data = about.dataset
    ours = [iri for iri in counts.subjects if iri.startswith(about.base)]
    release = release_iri(about, version)
    yield from _facts(
        data.iri,
        {
            "rdf:type": [_term("void:Dataset"), _term("dcat:Dataset")],
            "dcterms:title": ox.Literal(data.title, language=data.language),
            "dcterms:description": ox.Literal(data.description, language=data.language),
            "rdfs:label": ox.Literal(data.title, language=data.language),
            "dcterms:license": ox.NamedNode(data.licence),
            "dcterms:identifier": data.iri,
            "dcterms:language": _language(data.language),
            "dcat:keyword": [ox.Literal(word, language=data.language) for word in data.keywords],
            "dcat:landingPage": ox.NamedNode(about.base),
            "dcat:hasCurrentVersion": ox.NamedNode(release),
            "dcat:version": version,
            "owl:versionInfo": version,
            "dcterms:conformsTo": ox.NamedNode(about.vocabulary),
            "void:vocabulary": ox.NamedNode(about.vocabulary),
            "void:uriSpace": about.base,
            "void:sparqlEndpoint": ox.NamedNode(about.base + "sparql"),
            "void:triples": counts.triples,
            "void:entities": len(ours),
            "void:distinctSubjects": len(counts.subjects),
            "void:classes": len(counts.classes),
            "void:properties": len(counts.properties),
        },
    )
    yield from _disclaimer(about)
    yield from _scope(about)
    yield from _dates(data.iri, version)
    yield from _creators(about)
    yield from _service(about)
    yield from _release(about, release, version)
    yield from _partitions(about, counts)
    yield from _linksets(about, linksets)
    yield from _graphs(about, parts)


def _disclaimer(about: Graph) -> Iterator[ox.Triple]:
    if about.dataset.disclaimer:
        text = ox.Literal(about.dataset.disclaimer, language=about.dataset.language)
        yield from _facts(about.dataset.iri, {"rdfs:comment": text, "dcterms:rights": text})


def _scope(about: Graph) -> Iterator[ox.Triple]:
    """What was looked for and what was not, so that an absence can be read."""
    texts = [ox.Literal(text, language=about.dataset.language) for text in about.dataset.scope]
    yield from _facts(about.dataset.iri, {"skos:scopeNote": [*texts]})


def _dates(iri: str, version: str) -> Iterator[ox.Triple]:
    """A release is named by its day; other names say nothing about time."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", version):
        day = ox.Literal(version, datatype=ox.NamedNode(_XSD + "date"))
        yield from _facts(iri, {"dcterms:modified": day, "dcterms:issued": day})


def _creators(about: Graph) -> Iterator[ox.Triple]:
    for creator in about.dataset.creators:
        iri = creator.iri or f"{about.base}agent/{slug(creator.name)}"
        node = ox.NamedNode(iri)
        yield from _facts(about.dataset.iri, {"dcterms:creator": node, "dcterms:publisher": node})
        yield from _facts(
            iri,
            {
                "rdf:type": _term("foaf:Agent"),
                "foaf:name": creator.name,
                "rdfs:label": creator.name,
            },
        )


def _service(about: Graph) -> Iterator[ox.Triple]:
    address = ox.NamedNode(about.base + "sparql")
    title = ox.Literal(f"SPARQL endpoint of {about.dataset.title}", language=about.dataset.language)
    yield from _facts(
        address.value,
        {
            "rdf:type": _term("dcat:DataService"),
            "rdfs:label": title,
            "dcterms:title": title,
            "dcat:endpointURL": address,
            "dcat:servesDataset": ox.NamedNode(about.dataset.iri),
            "dcterms:conformsTo": ox.NamedNode("https://www.w3.org/TR/sparql11-protocol/"),
        },
    )


def release_iri(about: Graph, version: str) -> str:
    """The name of a release."""
    return f"{about.base}release/{version}"


def release_facts(about: Graph, version: str, previous: str = "") -> Iterator[ox.Triple]:
    """A release as a thing, and the one before it."""
    release = release_iri(about, version)
    yield from _release(about, release, version)
    if previous:
        older = ox.NamedNode(release_iri(about, previous))
        yield from _facts(release, {"dcat:previousVersion": older, "dcterms:replaces": older})


def versions(about: Graph, names: Sequence[str]) -> Iterator[ox.Triple]:
    """Every release up to this one, the newest first: what the dataset's graph cannot know, as it
    would then differ with what happens to stand beside it when it is built."""
    for name, previous in zip(names, [*names[1:], ""], strict=True):
        release = ox.NamedNode(release_iri(about, name))
        yield from _facts(about.dataset.iri, {"dcat:hasVersion": release})
        yield from release_facts(about, name, previous)


def _release(about: Graph, release: str, version: str) -> Iterator[ox.Triple]:
    title = f"{about.dataset.title}, release {version}"
    yield from _facts(
        release,
        {
            "rdf:type": _term("dcat:Dataset"),
            "rdfs:label": ox.Literal(title, language=about.dataset.language),
            "dcterms:title": ox.Literal(title, language=about.dataset.language),
            "dcterms:isVersionOf": ox.NamedNode(about.dataset.iri),
            "dcterms:license": ox.NamedNode(about.dataset.licence),
            "owl:versionInfo": version,
        },
    )
    yield from _dates(release, version)


def _partitions(about: Graph, counts: Counts) -> Iterator[ox.Triple]:
    kinds = (("class", counts.classes, "entities"), ("property", counts.properties, "triples"))
    for kind, numbers, unit in kinds:
        for iri in sorted(numbers):
            name = re.sub(r"[^A-Za-z0-9]+", "-", about.prefixes.compact(iri) or iri)
            node = f"{about.dataset.iri}/{kind}/{name}"
            yield from _facts(about.dataset.iri, {f"void:{kind}Partition": ox.NamedNode(node)})
            yield from _facts(
                node, {f"void:{kind}": ox.NamedNode(iri), f"void:{unit}": numbers[iri]}
            )


def _linksets(about: Graph, linksets: Mapping[str, int]) -> Iterator[ox.Triple]:
    for name in sorted(linksets):
        node = f"{about.dataset.iri}/linkset/{slug(name)}"
        yield from _facts(about.dataset.iri, {"void:subset": ox.NamedNode(node)})
        yield from _facts(
            node,
            {
                "rdf:type": _term("void:Linkset"),
                "void:subjectsTarget": ox.NamedNode(about.dataset.iri),
                "dcterms:title": f"Mappings to {name}",
                "void:triples": linksets[name],
            },
        )


def _graphs(about: Graph, parts: Mapping[str, Part]) -> Iterator[ox.Triple]:
    """Each named graph as a thing: who dereferences its IRI learns what it is."""
    for iri in sorted(parts):
        title = f"Named graph {iri.removeprefix(about.base).removeprefix('graph/')}"
        facts: dict[str, _Value | list[_Value]] = {
            "rdf:type": [_term("sd:Graph"), _term("void:Dataset")],
            "rdfs:label": ox.Literal(title, language=about.dataset.language),
            "dcterms:isPartOf": ox.NamedNode(about.dataset.iri),
            "dcterms:license": ox.NamedNode(about.dataset.licence),
            "void:triples": parts[iri].triples,
        }
        if parts[iri].topic:
            facts["foaf:primaryTopic"] = ox.NamedNode(parts[iri].topic)
        yield from _facts(iri, facts)


def distributions(about: Graph, downloads: Iterable[Download]) -> Iterator[ox.Triple]:
    """What can be fetched, with sizes and sums."""
    for download in downloads:
        address = ox.NamedNode(about.base + download.path)
        # within the description, which alone knows them
        node = f"{about.dataset.iri}#{download.path.removeprefix('downloads/')}"
        checksum = f"{node}/sha256"
        yield from _facts(
            about.dataset.iri,
            {"dcat:distribution": ox.NamedNode(node), "void:dataDump": address},
        )
        yield from _facts(
            node,
            {
                "rdf:type": _term("dcat:Distribution"),
                "dcterms:title": download.title,
                "dcterms:license": ox.NamedNode(about.dataset.licence),
                "dcat:downloadURL": address,
                "dcat:accessURL": address,
                "dcat:mediaType": _media_type(download.media_type),
                "dcat:byteSize": ox.Literal(  # what DCAT 3 says its values are
                    str(download.written.bytes), datatype=ox.NamedNode(_XSD + "nonNegativeInteger")
                ),
                "spdx:checksum": ox.NamedNode(checksum),
            },
        )
        if download.path.endswith(".gz"):
            packed = {"dcat:compressFormat": _media_type("application/gzip")}
            yield from _facts(node, packed)
        yield from _facts(
            checksum,
            {
                "rdf:type": _term("spdx:Checksum"),
                "spdx:algorithm": _term("spdx:checksumAlgorithm_sha256"),
                "spdx:checksumValue": ox.Literal(
                    download.written.sha256, datatype=ox.NamedNode(_XSD + "hexBinary")
                ),
            },
        )


def _named(subject: ox.NamedNode | ox.BlankNode | ox.Triple) -> str:
    """A subject for counting: VoID counts those without a name, too."""
    return subject.value if isinstance(subject, ox.NamedNode) else str(subject)


def _language(tag: str) -> _Value:
    """A language as DCAT 3 wants it ("Property: language"): the Library of Congress has IRIs."""
    short = re.fullmatch(r"([a-z]{2})(?:-.*)?", tag)
    return ox.NamedNode(f"http://id.loc.gov/vocabulary/iso639-1/{short[1]}") if short else tag


def _media_type(name: str) -> ox.NamedNode:
    return ox.NamedNode(f"https://www.iana.org/assignments/media-types/{name}")


def _facts(subject: str, facts: Mapping[str, _Value | list[_Value]]) -> Iterator[ox.Triple]:
    for name, values in facts.items():
        for value in values if isinstance(values, list) else [values]:
            yield ox.Triple(ox.NamedNode(subject), _term(name), _literal(value))


def _literal(value: _Value) -> ox.NamedNode | ox.Literal:
    if isinstance(value, int):
        return ox.Literal(str(value), datatype=ox.NamedNode(_XSD + "integer"))
    return ox.Literal(value) if isinstance(value, str) else value


def _term(name: str) -> ox.NamedNode:
    prefix, _, local = name.partition(":")
    return ox.NamedNode(_SPACES[prefix] + local)
