"""Building: the same files give the same bytes, and all forms say the same."""

import ast
import gzip
import hashlib
import json
import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
import rdflib.compare

import publisher
from publisher import build, check, corpus, release
from publisher.check.finding import Finding, Report
from publisher.corpus import Corpus
from publisher.errors import CheckFailed, QueryFault, ReleaseDamaged, ReleaseError

VOID = "http://rdfs.org/ns/void#"
LIGHTS = "http://example.org/lights/"
FORMATS = {
    "ttl": ox.RdfFormat.TURTLE,
    "nt": ox.RdfFormat.N_TRIPLES,
    "nq": ox.RdfFormat.N_QUADS,
    "trig": ox.RdfFormat.TRIG,
    "jsonld": ox.RdfFormat.JSON_LD,
    "rdf": ox.RdfFormat.RDF_XML,
}
DATASETS = ("nq", "trig", "jsonld")


def parsed(folder: Path, suffix: str) -> ox.Dataset:
    found = ox.Dataset(ox.parse(path=folder / f"downloads/lights.{suffix}", format=FORMATS[suffix]))
    found.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return found


@pytest.fixture(scope="module")
def folder(lights_release: Path) -> Path:
    return release.read(lights_release).path


def test_two_builds_give_the_same_bytes(lights: Corpus, folder: Path, tmp_path: Path) -> None:
    """Every file that the manifest lists, and the sums that it gives."""
    second = build.build(lights, Report(()), tmp_path / "releases")
    one, two = (json.loads((f / release.MANIFEST).read_text()) for f in (folder, second))
    for path in one["files"]:
        if path != "search.sqlite":
            assert (folder / path).read_bytes() == (second / path).read_bytes(), path
    del one["store"], two["store"], one["files"]["search.sqlite"], two["files"]["search.sqlite"]
    assert one == two


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_download_says_the_same(folder: Path, suffix: str) -> None:
    """The triples of N-Triples, and of N-Quads where graphs can be carried."""
    reference = parsed(folder, "nq" if suffix in DATASETS else "nt")
    assert {str(q) for q in parsed(folder, suffix)} == {str(q) for q in reference}


@pytest.mark.parametrize("suffix", ["ttl", "rdf", "nt"])
def test_rdflib_reads_the_downloads_too(folder: Path, suffix: str) -> None:
    """A second reader, so that we do not only please the engine."""
    names = {"ttl": "turtle", "rdf": "xml", "nt": "nt"}
    graph = rdflib.Graph().parse(folder / f"downloads/lights.{suffix}", format=names[suffix])
    manifest = json.loads((folder / release.MANIFEST).read_text())
    assert len(graph) == manifest["triples"]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize("stem", ["ontology", "shapes"])
@pytest.mark.parametrize("suffix", ["ttl", "rdf", "nt", "jsonld"])
def test_a_document_is_read_as_one_graph(folder: Path, stem: str, suffix: str) -> None:
    """Inside a named graph a reader of one graph would find nothing, and everything conform."""
    names = {"ttl": "turtle", "rdf": "xml", "nt": "nt", "jsonld": "json-ld"}
    graph = rdflib.Graph().parse(folder / f"downloads/{stem}.{suffix}", format=names[suffix])
    plain = rdflib.Graph().parse(folder / f"downloads/{stem}.nt")
    assert len(plain) > 10
    assert rdflib.compare.isomorphic(graph, plain)


def test_downloads_keep_the_files_literals(copy: Path, tmp_path: Path) -> None:
    """They come from the files: a store would have rewritten this one."""
    source = copy / "data/sources/isbn-978-0-00-000001-9.ttl"
    source.write_text(source.read_text().replace("lv:miles 7", "lv:miles 7.00"))
    made = build.build(corpus.read(copy), Report(()), tmp_path / "releases")
    assert "7.00" in (made / "downloads/lights.nt").read_text()
    assert "7.00" in (made / "downloads/lights.ttl").read_text()


def test_packed_downloads_unpack_to_the_plain_ones(folder: Path) -> None:
    """And carry neither a name nor a time."""
    packed = (folder / "downloads/lights.ttl.gz").read_bytes()
    assert gzip.decompress(packed) == (folder / "downloads/lights.ttl").read_bytes()
    assert packed[4:8] == b"\0\0\0\0"


def test_the_manifest_is_true(folder: Path) -> None:
    """Sums, sizes, and nothing that it does not list."""
    found = release.read(folder)
    release.verify(found)
    listed = {*found.manifest["files"], *found.manifest["store"], release.MANIFEST}
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert present - listed <= {"store/LOCK", "store/LOG"}


def test_the_store_counts_each_triple_once(folder: Path) -> None:
    """The default graph is the union; its size is what the description says."""
    store = ox.Store.read_only(str(folder / "store"))
    union = len(list(store.quads_for_pattern(None, None, None, ox.DefaultGraph())))
    named = {
        (str(q.subject), str(q.predicate), str(q.object))
        for q in store
        if q.graph_name != ox.DefaultGraph()
    }
    said = list(
        store.quads_for_pattern(
            ox.NamedNode(LIGHTS + "dataset"), ox.NamedNode(VOID + "triples"), None
        )
    )
    assert union == len(named) == json.loads((folder / release.MANIFEST).read_text())["triples"]
    assert {q.object.value for q in said} == {str(union)}  # type: ignore[union-attr]


def test_the_description_counts_classes_and_properties(folder: Path) -> None:
    """Each partition is what a query over the store finds."""
    store = ox.Store.read_only(str(folder / "store"))
    rows = store.query(
        f"PREFIX void: <{VOID}> SELECT ?c ?n (COUNT(DISTINCT ?i) AS ?found) "
        "{ ?d void:classPartition ?p . ?p void:class ?c ; void:entities ?n . ?i a ?c } "
        "GROUP BY ?c ?n"
    )
    counts = [(row["n"].value, row["found"].value) for row in rows]  # type: ignore[union-attr]
    assert len(counts) > 10
    assert all(said == found for said, found in counts)
    rows = store.query(
        f"PREFIX void: <{VOID}> SELECT ?c ?n (COUNT(*) AS ?found) "
        "{ ?d void:propertyPartition ?p . ?p void:property ?c ; void:triples ?n . ?s ?c ?o } "
        "GROUP BY ?c ?n"
    )
    assert all(row["n"].value == row["found"].value for row in rows)  # type: ignore[union-attr]


def test_the_description_counts_subjects(folder: Path) -> None:
    """VoID: IRIs and blank nodes alike, each once."""
    store = ox.Store.read_only(str(folder / "store"))
    union = store.quads_for_pattern(None, None, None, ox.DefaultGraph())
    subjects = {quad.subject for quad in union}
    assert any(isinstance(subject, ox.BlankNode) for subject in subjects)
    said = store.quads_for_pattern(
        ox.NamedNode(LIGHTS + "dataset"), ox.NamedNode(VOID + "distinctSubjects"), None
    )
    assert {quad.object.value for quad in said} == {str(len(subjects))}  # type: ignore[union-attr]


def test_every_named_graph_says_what_it_is(folder: Path) -> None:
    """Its true size, what it is part of, and the source that it is about."""
    store = ox.Store.read_only(str(folder / "store"))
    for graph in store.named_graphs():
        size = len(list(store.quads_for_pattern(None, None, None, graph)))
        said = {
            q.predicate.value.rpartition("/")[2].rpartition("#")[2]: q.object.value  # type: ignore[union-attr]
            for q in store.quads_for_pattern(graph, None, None, ox.DefaultGraph())
        }
        assert said["triples"] == str(size), graph
        assert said["isPartOf"] == LIGHTS + "dataset"
        if "graph/isbn" in str(graph):
            assert said["primaryTopic"] == str(graph)[1:-1].replace("graph/", "source/")


def test_the_description_lists_every_download_with_its_sum(folder: Path) -> None:
    """What can be fetched, how large, and how to see that it came whole."""
    graph = rdflib.Graph().parse(folder / "description.ttl")
    rows: list[tuple[object, ...]] = list(
        graph.query(  # type: ignore[arg-type]
            "PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX spdx: <http://spdx.org/rdf/terms#> "
            "SELECT ?url ?size ?sum { ?d dcat:distribution ?f . ?f dcat:downloadURL ?url ; "
            "dcat:byteSize ?size ; spdx:checksum/spdx:checksumValue ?sum }"
        )
    )
    listed = {
        str(url).removeprefix(LIGHTS): (int(str(size)), str(sum_)) for url, size, sum_ in rows
    }
    downloads = {p.relative_to(folder).as_posix() for p in folder.glob("downloads/**/*.*")}
    assert listed.keys() == downloads
    for path, (size, sum_) in listed.items():
        content = (folder / path).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (size, sum_)


def test_harvesters_find_the_values_that_dcat_asks_for(folder: Path) -> None:
    """DCAT 3: languages are IRIs, sizes are not negative; profiles check both."""
    graph = rdflib.Graph().parse(folder / "description.ttl")
    dcat = rdflib.Namespace("http://www.w3.org/ns/dcat#")
    language = graph.value(rdflib.URIRef(LIGHTS + "dataset"), rdflib.DCTERMS.language)
    assert language == rdflib.URIRef("http://id.loc.gov/vocabulary/iso639-1/en")
    sizes = [
        size for size in graph.objects(None, dcat.byteSize) if isinstance(size, rdflib.Literal)
    ]
    assert {size.datatype for size in sizes} == {rdflib.XSD.nonNegativeInteger}


def test_rules_see_what_earlier_rules_made(folder: Path) -> None:
    """The count of sightings stands on the range that the first rule made."""
    text = (folder / "downloads/lights.nq").read_text()
    graph = f"<{LIGHTS}graph/derived>"
    line = f'<{LIGHTS}range/0001-0010> <{LIGHTS}ontology#sightings> "2"^^'
    assert any(row.startswith(line) and graph in row for row in text.splitlines())


def test_an_edition_is_a_download_and_not_in_the_store(folder: Path) -> None:
    """It says the same in another way, and would double every count."""
    text = (folder / "downloads/lights-owl.ttl").read_text()
    assert "LGT:0001\n    a owl:Class ;" in text
    assert "LGT:0001\n    a owl:Class ;" not in (folder / "downloads/lights.ttl").read_text()


def test_a_corpus_with_violations_makes_no_release(lights: Corpus, tmp_path: Path) -> None:
    """Nothing is left behind either."""
    report = Report((Finding("violation", "r", "f", 1, "", "m"),))
    with pytest.raises(CheckFailed):
        build.build(lights, report, tmp_path / "releases")
    assert not (tmp_path / "releases").exists()


def test_a_build_that_fails_leaves_the_current_release(copy: Path, tmp_path: Path) -> None:
    """The next one is built beside it and never half seen."""
    releases = tmp_path / "releases"
    first = build.build(corpus.read(copy), Report(()), releases)
    (copy / "ontology/editions/owl/20-bad.rq").write_text("CONSTRUCT {")
    with pytest.raises(QueryFault):
        build.build(corpus.read(copy), Report(()), releases)
    assert release.read(releases).path == first.resolve()
    assert sorted(p.name for p in releases.iterdir()) == sorted([first.name, "current"])


def test_a_changed_file_makes_another_folder(copy: Path, tmp_path: Path) -> None:
    """A server that has the old one open keeps it; the link moves in one step."""
    releases = tmp_path / "releases"
    first = build.build(corpus.read(copy), Report(()), releases)
    page = copy / "data/lights/0001-grey-point.ttl"
    page.write_text(page.read_text().replace("round", "square"))
    found = corpus.read(copy)
    assert release.standing(releases, release.inputs_of(found.digest)) is None
    second = build.build(found, Report(()), releases)
    assert second.name != first.name
    assert release.read(releases).path == second.resolve()
    assert release.standing(releases, release.inputs_of(found.digest)) is not None


def test_a_damaged_release_is_noticed(lights_release: Path, tmp_path: Path) -> None:
    """A flipped byte by its sum, a missing file at once."""
    damaged = Path(shutil.copytree(release.read(lights_release).path, tmp_path / "damaged"))
    file = damaged / "downloads/lights.nt"
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    release.verify(release.read(damaged), sums=False)
    with pytest.raises(ReleaseDamaged, match="another sum"):
        release.verify(release.read(damaged))
    file.unlink()
    assert release.standing(damaged, release.read(damaged).manifest["inputs"]) is None


def test_opening_what_is_no_release_says_so(tmp_path: Path) -> None:
    """pyoxigraph would have made an empty store there."""
    with pytest.raises(ReleaseError, match="no release"):
        release.read(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_inputs_sum_covers_every_room_that_a_build_uses() -> None:
    """A room that is missing in the list would leave old releases standing."""
    home = Path(publisher.__file__).parent
    seen: set[str] = set()
    todo = ["build"]
    while todo:
        room = todo.pop()
        if room in seen:
            continue
        seen.add(room)
        files = (
            [home / f"{room}.py"]
            if (home / f"{room}.py").is_file()
            else (home / room).rglob("*.py")
        )
        for file in files:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("publisher"):
                    inner = (
                        (node.module or "").removeprefix("publisher").strip(".").partition(".")[0]
                    )
                    names = [inner] if inner else [alias.name for alias in node.names]
                    todo += [
                        n for n in names if (home / n).is_dir() or (home / f"{n}.py").is_file()
                    ]
    assert seen == set(release.ROOMS)


def test_the_graph_of_the_checkout_passes_its_own_check() -> None:
    """What is committed can be released."""
    root = Path(__file__).parents[2]
    report = check.judge(corpus.read(root), processes=2)
    assert [str(f) for f in report.findings if f.severity == "violation"] == []
