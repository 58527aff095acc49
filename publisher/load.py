"""Fills another engine from a release, by the SPARQL 1.1 Graph Store Protocol.

Every engine that serves graphs speaks it (Fuseki, GraphDB, Virtuoso, Stardog, Oxigraph ...), and
replacing graph by graph leaves whatever else the engine holds alone.
"""

from __future__ import annotations

import base64
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import groupby
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import pyoxigraph as ox

from publisher.corpus import Progress, silent
from publisher.errors import EngineUnavailable, UsageError
from publisher.release import Release

SECONDS = 300.0


def fill(address: str, found: Release, *, progress: Progress = silent) -> int:
    """Put every named graph of the release; how many there were. Raises EngineUnavailable."""
    where, headers = _address(address)
    total = len(found.manifest["graphs"])
    done = 0
    for done, (name, text) in enumerate(_graphs(found), 1):
        joint = "&" if "?" in where else "?"
        _put(f"{where}{joint}graph={quote(name, safe='')}", text, headers)
        progress("loading", done, total)
    return done


def _address(address: str) -> tuple[str, dict[str, str]]:
    """The address without its secret, and the headers with it."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("is no http(s) address", where=address)
    headers = {"Content-Type": "application/n-triples", "User-Agent": "neuromodkg"}
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, "")), headers


def _graphs(found: Release) -> Iterator[tuple[str, bytes]]:
    """Each named graph as N-Triples, from the download that stands in the order of graphs."""
    file = found.path / f"downloads/{found.manifest['name']}.nq"
    quads = ox.parse(path=str(file), format=ox.RdfFormat.N_QUADS)
    for name, run in groupby(quads, key=lambda quad: quad.graph_name):
        assert isinstance(name, ox.NamedNode)
        text = "".join(f"{quad.triple} .\n" for quad in run)
        yield name.value, text.encode()


def _put(url: str, text: bytes, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, data=text, headers=headers, method="PUT")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(200).decode(errors="replace")
        raise EngineUnavailable(f"it refuses the graph: {error.code} {said}", where=url) from error
    except OSError as error:
        raise EngineUnavailable(f"it cannot be reached: {error}", where=url) from error
