"""Corpus -> release: same statements, same downloads, byte for byte.

`build` reads top to bottom: gather the statements, write the downloads, describe them, fill the
store, write the manifest, swap the link.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph as ox

import publisher
from publisher import changes, derive, describe, downloads, formats, mappings, release, search
from publisher.check.finding import Report
from publisher.corpus import Corpus, Progress, silent
from publisher.describe import Download, Part
from publisher.downloads import Statements, Written
from publisher.errors import CheckFailed
from publisher.graph import Graph
from publisher.release import Release


def build(
    corpus: Corpus,
    report: Report,
    releases: Path,
    *,
    previous: Release | None = None,
    progress: Progress = silent,
) -> Path:
    """Make a release of a corpus that passed its check, and make it the current one.

    It tells what changed since `previous`: the newest older one in `releases`, unless one is given.
    """
    if not report.passed:
        raise CheckFailed(
            f"the graph has {report.counts['violation']} violations, so no release is made of it",
            fix="run `neuromodkg check`",
        )
    inputs = release.inputs_of(corpus.digest)
    name = f"{corpus.version}.{inputs[:8]}"
    before = previous or release.before(releases, corpus.graph.name, corpus.version)
    with release.beside(releases, name) as folder:
        job = _Job(folder, corpus, progress, {}, before)
        statements = job.statements()
        listed = [*job.downloads(statements), *job.editions(statements)]
        job.changes(statements)
        job.description(statements, listed)
        job.companions()
        job.store(statements)
        job.search()
        job.manifest(statements, inputs)
    release.make_current(releases, name)
    release.prune(releases, keep={name})
    return releases / name


@dataclass(frozen=True)
class _Job:
    """One build: the folder it fills and the files it has written there."""

    folder: Path
    corpus: Corpus
    progress: Progress
    files: dict[str, dict[str, object]]
    before: Release | None = None

    @property
    def about(self) -> Graph:
        return self.corpus.graph

    def statements(self) -> Statements:
        """The checked quads, what follows from them, and the dataset's own description."""
        derived_graph = ox.NamedNode(self.about.derived_graph)
        quads = [*self.corpus.quads(), *_in(derived_graph, (d.triple for d in self.corpus.derived))]
        distinct = list({q.triple: None for q in quads})
        own = describe.core(
            self.about, self.corpus.version, distinct, _linksets(self.corpus), self._parts(quads)
        )
        quads.extend(_in(ox.NamedNode(self.about.dataset_graph), own))
        self.progress("arranging", 1, 2)
        arranged = downloads.arrange(quads, self.about.prefixes, self._context())
        self.progress("arranging", 2, 2)
        return arranged

    def _parts(self, quads: Iterable[ox.Quad]) -> dict[str, Part]:
        """Every named graph with its size; a source's graph is about the source."""
        sizes = Counter(q.graph_name.value for q in set(quads))  # type: ignore[union-attr]
        known = self.about.sources
        topics = {
            file.graph.value: f"{self.about.prefixes.namespaces[known.prefix]}{file.stem}"
            for file in self.corpus.files
            if known is not None and file.folder == known.folder
        }
        return {iri: Part(size, topics.get(iri, "")) for iri, size in sizes.items()}

    def _context(self) -> Mapping[str, Any]:
        file = self.corpus.root / "ontology/context.jsonld"
        if not file.is_file():
            return downloads.plain_context(self.about.prefixes)
        context: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return context

    def downloads(self, statements: Statements) -> Iterator[Download]:
        """The whole graph in every format, the vocabulary, the shapes, the mapping tables."""
        (self.folder / "downloads").mkdir()
        for done, suffix in enumerate(downloads.WRITERS, 1):
            name = f"downloads/{self.about.name}.{suffix}"
            yield from self._both(name, statements, f"The whole graph ({suffix})")
            self.progress("writing", done, len(downloads.WRITERS))
        names = {f.graph.value for f in self.corpus.files if f.room == "ontology"}
        vocabulary = [q for q in statements.quads if q.graph_name.value in names]  # type: ignore[union-attr]
        own = downloads.arrange(vocabulary, statements.prefixes, statements.context)
        for suffix in downloads.WRITERS:
            text = downloads.document(own, suffix)
            yield self._save(f"downloads/ontology.{suffix}", text, "The vocabulary")
        yield from self._shapes(statements)
        yield from self._tables()

    def _shapes(self, statements: Statements) -> Iterator[Download]:
        """What the shapes say, in the graphs that they stand in."""
        files = [f for f in self.corpus.files if f.room == "shapes"]
        quads = [q for f in files for q in _in(f.graph, (fact.triple for fact in f.facts))]
        if not quads:
            return
        own = downloads.arrange(quads, statements.prefixes, statements.context)
        for suffix in downloads.WRITERS:
            text = downloads.document(own, suffix)
            yield self._save(f"downloads/shapes.{suffix}", text, "The shapes (SHACL)")

    def _tables(self) -> Iterator[Download]:
        for file in self.corpus.files:
            if file.table is not None:
                (self.folder / "downloads/mappings").mkdir(exist_ok=True)
                title = f"Mappings to {file.stem}"
                yield self._save(f"downloads/mappings/{file.stem}.sssom.tsv", [file.text], title)

    def editions(self, statements: Statements) -> Iterator[Download]:
        """Other ways to say the same, made by rules: downloads only, not in the store."""
        if not self.corpus.editions:
            return
        source = derive.store_of(statements.quads)
        for edition, queries in self.corpus.editions.items():
            made = {t: None for path, text in queries for t in derive.construct(source, path, text)}
            quads = _in(ox.NamedNode(f"{self.about.base}graph/{edition}"), made)
            arranged = downloads.arrange(quads, statements.prefixes, statements.context)
            title = f"The {edition.upper()} edition"
            name = f"downloads/{self.about.name}-{edition}"
            yield self._save(f"{name}.ttl", downloads.turtle(arranged), title)
            yield self._save(f"{name}.owl", downloads.rdf_xml(arranged), title)

    def _both(self, name: str, statements: Statements, title: str) -> Iterator[Download]:
        """The file, and the file packed."""
        suffix = name.rpartition(".")[2]
        yield self._save(name, downloads.WRITERS[suffix](statements), title)
        packed = downloads.compress(self.folder / name, self.folder / f"{name}.gz")
        yield self._note(f"{name}.gz", packed, media_type(name), f"{title}, packed")

    def _save(self, name: str, pieces: Iterable[str], title: str) -> Download:
        written = downloads.save(self.folder / name, pieces)
        return self._note(name, written, media_type(name), title)

    def _note(self, name: str, written: Written, kind: str, title: str) -> Download:
        entry: dict[str, object] = {"sha256": written.sha256, "bytes": written.bytes}
        entry["media_type"] = "application/gzip" if name.endswith(".gz") else kind
        if name.startswith("downloads/"):
            entry["title"] = title
        self.files[name] = entry
        return Download(name, kind, written, title)

    def changes(self, statements: Statements) -> None:
        """What changed since the release before, and what those before it tell."""
        self.progress("comparing", 0, 1)
        own = (self.folder, self.about, self.corpus.version)
        for file in changes.write(*own, statements.quads, self.before):
            written = Written(release.sum_of(file), file.stat().st_size)
            name = file.relative_to(self.folder).as_posix()
            self._note(name, written, media_type(name), "What changed")
        self.progress("comparing", 1, 1)

    def description(self, statements: Statements, listed: list[Download]) -> None:
        """The core, which is in the dataset too, and what cannot be: the files, other releases."""
        name = ox.NamedNode(self.about.dataset_graph)
        own = [q for q in statements.quads if q.graph_name == name]
        own += _in(name, describe.distributions(self.about, listed))
        versions = (self.corpus.version, *changes.history(self.folder))
        own += _in(name, describe.versions(self.about, versions))
        arranged = downloads.arrange(own, statements.prefixes, {})
        self._save("description.ttl", downloads.turtle(arranged), "Description")

    def companions(self) -> None:
        """What a server needs beside the store; it never reads data/ or ontology/."""
        root = self.corpus.root
        prefixes = json.dumps(dict(self.about.prefixes.pairs), indent=1) + "\n"
        self._save("prefixes.json", [prefixes], "Prefixes")
        context = json.dumps(self._context(), indent=1, ensure_ascii=False) + "\n"
        self._save("context.jsonld", [context], "JSON-LD context")
        for path in ("graph.toml", *(p.removeprefix("ontology/") for p, _ in self.corpus.pages)):
            (self.folder / path).parent.mkdir(exist_ok=True)
            self._save(path, [(root / "ontology" / path).read_text(encoding="utf-8")], path)

    def store(self, statements: Statements) -> None:
        """The store: named graphs, and their union in the default graph.

        The union is written out because Oxigraph's own union counts a triple once per graph.
        """
        self.progress("storing", 0, 3)
        store = ox.Store(str(self.folder / "store"))
        store.bulk_extend(statements.quads)
        self.progress("storing", 1, 3)
        store.bulk_extend(ox.Quad(t.subject, t.predicate, t.object) for t in statements.triples)
        self.progress("storing", 2, 3)
        store.optimize()
        store.flush()
        del store
        self.progress("storing", 3, 3)

    def search(self) -> None:
        """The index of names; it is made from the store, as the server will see it."""
        search.build(self.folder, ox.Store.read_only(str(self.folder / "store")))
        file = self.folder / search.FILE
        written = Written(release.sum_of(file), file.stat().st_size)
        self._note(search.FILE, written, media_type(search.FILE), "Search index")

    def manifest(self, statements: Statements, inputs: str) -> None:
        graphs = Counter(q.graph_name.value for q in statements.quads)  # type: ignore[union-attr]
        store = {
            path.relative_to(self.folder).as_posix(): {
                "sha256": release.sum_of(path),
                "bytes": path.stat().st_size,
            }
            for path in sorted((self.folder / "store").iterdir())
            if path.is_file() and path.name not in ("LOCK", "LOG")
        }
        content = {
            "release": self.corpus.version,
            "name": self.about.name,
            "base": self.about.base,
            "inputs": inputs,
            "previous": self.before.identity if self.before is not None else None,
            "publisher": publisher.__version__,
            "triples": len(statements.triples),
            "quads": len(statements.quads),
            "graphs": dict(sorted(graphs.items())),
            "files": dict(sorted(self.files.items())),
            "store": store,
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        downloads.save(self.folder / release.MANIFEST, [text])


def media_type(name: str) -> str:
    """The media type of a file of ours by its suffix; that of its inside when it is packed."""
    others = {
        "tsv": "text/tab-separated-values",
        "owl": "application/rdf+xml",
        "json": "application/json",
        "toml": "application/toml",
        "rq": "application/sparql-query",
        "sqlite": "application/vnd.sqlite3",
    }
    suffix = name.removesuffix(".gz").rpartition(".")[2]
    known = formats.BY_SUFFIX.get(suffix)
    return others.get(suffix) or (known.media_type if known else "application/octet-stream")


def _in(graph: ox.NamedNode, triples: Iterable[ox.Triple]) -> list[ox.Quad]:
    return [ox.Quad(t.subject, t.predicate, t.object, graph) for t in triples]


def _linksets(corpus: Corpus) -> dict[str, int]:
    """How many positive mappings each table makes."""
    return {
        file.stem: sum(
            not row.negative and row.values["object_id"] != mappings.NO_TERM
            for row in file.table.rows
        )
        for file in corpus.files
        if file.table is not None
    }
