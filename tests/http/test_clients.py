"""The clients that people use: each asks the endpoint, and gets what it should.

Jena and Comunica are fetched once, into a folder of the user's cache, by Maven and npm; without
these tools or a network their tests are skipped, and say so.
"""

import json
import os
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any, cast

import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLStore
from SPARQLWrapper import CSV, JSON, POST, POSTDIRECTLY, TURTLE, XML, SPARQLWrapper

from tests.conftest import BASE, NMO, SKOS, Running

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "neuromodkg-tests"
LABEL = f'SELECT ?t {{ ?t <{SKOS}prefLabel> "spinal cord stimulation"@en }}'
FOUND = BASE + "NMOD_0000001"
JENA = "5.2.0"
COMUNICA = "4"  # the last that runs on Node 18 and 20


@pytest.mark.parametrize("form", [JSON, XML, CSV])
@pytest.mark.parametrize("way", ["get", "form", "direct"])
def test_sparqlwrapper_asks_in_every_way(server: Running, form: str, way: str) -> None:
    """GET, POST form and POST direct; JSON, XML and CSV."""
    client = SPARQLWrapper(server.url + "/sparql")
    client.setQuery(LABEL)
    client.setReturnFormat(form)
    if way != "get":
        client.setMethod(POST)
    if way == "direct":
        client.setRequestMethod(POSTDIRECTLY)
    found = cast(Any, client.query().convert())
    text = found.toxml() if form == XML else json.dumps(found) if form == JSON else found.decode()
    assert FOUND in text


def test_sparqlwrapper_reads_graphs(server: Running) -> None:
    """CONSTRUCT and DESCRIBE in Turtle."""
    client = SPARQLWrapper(server.url + "/sparql")
    client.setQuery(f"DESCRIBE <{FOUND}>")
    client.setReturnFormat(TURTLE)
    graph = rdflib.Graph().parse(data=cast(Any, client.query().convert()), format="turtle")
    assert (rdflib.URIRef(FOUND), rdflib.RDF.type, rdflib.URIRef(NMO + "Therapy")) in graph


@pytest.mark.parametrize("method", ["GET", "POST", "POST_FORM"])
def test_rdflib_uses_the_endpoint_as_a_store(server: Running, method: str) -> None:
    """Queries, triple patterns, counts of a graph."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # rdflib warns of itself
        graph = rdflib.Graph(SPARQLStore(server.url + "/sparql", method=method))
        assert [str(row[0]) for row in cast(Any, graph.query(LABEL))] == [FOUND]
        label = rdflib.URIRef(SKOS + "prefLabel")
        found = set(graph.objects(rdflib.URIRef(FOUND), label))
    assert rdflib.Literal("Rückenmarkstimulation", lang="de") in found


PROJECT = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>t</groupId><artifactId>t</artifactId><version>1</version><packaging>pom</packaging><dependencies>
<dependency><groupId>org.apache.jena</groupId><artifactId>jena-arq</artifactId><version>{JENA}</version>
</dependency></dependencies></project>"""
PROGRAM = """
import org.apache.jena.query.*;
import org.apache.jena.rdf.model.*;
import org.apache.jena.sparql.exec.http.*;

public class Ask {
  public static void main(String[] a) {
    String url = a[0], query = a[1], name = a[2];
    try (QueryExecution q = QueryExecutionHTTP.service(url, query)) {
      ResultSet rows = q.execSelect();
      while (rows.hasNext()) System.out.println("select " + rows.next().get("t"));
    }
    try (QueryExecution q = QueryExecutionHTTP.service(url, "ASK { <" + name + "> ?p ?o }")) {
      System.out.println("ask " + q.execAsk());
    }
    try (QueryExecution q = QueryExecutionHTTP.service(url, "DESCRIBE <" + name + ">")) {
      System.out.println("describe " + q.execDescribe().size());
    }
    try (QueryExecution q = QueryExecutionHTTP.service(url).sendMode(QuerySendMode.asPost)
        .query("CONSTRUCT WHERE { <" + name + "> ?p ?o }").build()) {
      System.out.println("construct " + q.execConstruct().size());
    }
  }
}
"""


def fetched(command: list[str], folder: Path) -> bool:
    """Whether a tool could fetch what it was asked for."""
    found = subprocess.run(command, cwd=folder, capture_output=True, timeout=240, check=False)
    return found.returncode == 0


@pytest.fixture(scope="module")
def jena() -> Path:
    """The folder with Jena's archives."""
    folder = CACHE / f"jena-{JENA}"
    if shutil.which("java") is None:
        pytest.skip("there is no Java here")
    if not (folder / "done").exists():
        if shutil.which("mvn") is None:
            pytest.skip("there is no Maven here")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pom.xml").write_text(PROJECT)
        copy = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
        if not fetched(copy, folder):
            pytest.skip("Maven could not fetch Jena")
        (folder / "done").touch()
    return folder


def test_apache_jena_asks_all_four_forms(server: Running, jena: Path, tmp_path: Path) -> None:
    """SELECT, ASK, DESCRIBE by GET, CONSTRUCT by POST, as Jena's own client sends them."""
    program = tmp_path / "Ask.java"
    program.write_text(PROGRAM)
    command = ["java", "-cp", str(jena / "lib" / "*"), str(program), server.url + "/sparql"]
    found = subprocess.run(
        [*command, LABEL, FOUND], capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stderr
    lines = dict(line.split(" ", 1) for line in found.stdout.splitlines())
    assert lines["select"] == FOUND
    assert lines["ask"] == "true"
    assert int(lines["describe"]) == int(lines["construct"]) >= 6


@pytest.fixture(scope="module")
def comunica() -> Path:
    """Comunica's command."""
    folder = CACHE / f"comunica-{COMUNICA}"
    program = folder / "node_modules" / ".bin" / "comunica-sparql"
    if shutil.which("node") is None:
        pytest.skip("there is no Node here")
    if not program.exists():
        if shutil.which("npm") is None:
            pytest.skip("there is no npm here")
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
        if not fetched([*install, f"@comunica/query-sparql@{COMUNICA}"], folder):
            pytest.skip("npm could not fetch Comunica")
    return program


@pytest.mark.parametrize("source", ["sparql@{url}/sparql", "{url}/sparql", "{url}/NMOD_0000001"])
def test_comunica_finds_the_endpoint_and_the_documents(
    server: Running, comunica: Path, source: str
) -> None:
    """As an endpoint that it is told, as one that it recognises, and as Linked Data."""
    command = [str(comunica), source.format(url=server.url), LABEL, "-t", "application/json"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr
    assert FOUND in found.stdout
