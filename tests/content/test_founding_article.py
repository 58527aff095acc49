"""Every fact of the founding article is found by one query over HTTP, in the file that holds it."""

import re
from pathlib import Path

import pytest

from tests.conftest import Running
from tests.content.conftest import Reduced

QUERIES = sorted((Path(__file__).parent / "seed").glob("S*.rq"))


def told(query: str, what: str) -> str:
    """What the head of a query file says after `# what:`."""
    found = re.search(rf"^# {what}: (.+)$", query, re.MULTILINE)
    assert found, f"the query does not say {what!r}"
    return found[1]


def rows(server: Running, query: str) -> int:
    """How many rows the endpoint answers."""
    reply = server.query(query, "text/tab-separated-values")
    assert reply.status == 200, reply.body
    return reply.body.count(b"\n") - 1


def test_every_fact_of_the_article_has_a_query() -> None:
    """S1 to S13, none left out."""
    assert [file.stem for file in QUERIES] == [f"S{number:02d}" for number in range(1, 14)]


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.stem)
def test_the_fact_is_found(graph_server: Running, file: Path) -> None:
    """The query answers at least the rows that its head names."""
    query = file.read_text(encoding="utf-8")
    assert rows(graph_server, query) >= int(told(query, "rows"))


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.stem)
def test_the_fact_is_gone_without_its_file(reduced_server: Reduced, file: Path) -> None:
    """Taken from the graph, the fact's file takes the answer with it; nothing else gives it."""
    query = file.read_text(encoding="utf-8")
    least = int(told(query, "rows"))
    assert rows(reduced_server(()), query) >= least
    assert rows(reduced_server(tuple(told(query, "takes away").split())), query) < least
