"""Write graphs of any size that are shaped like ours, for measurements only.

    python benchmarks/generate.py 100000 graph.nq

One named graph per source (a source, its study, three claims, three results with estimates), one
graph for the concepts. The content is nonsense made from a fixed seed: the same size always gives
the same bytes.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

BASE = "https://w3id.org/neuromod/"
NMO = BASE + "ontology#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
DCT = "http://purl.org/dc/terms/"
XSD = "http://www.w3.org/2001/XMLSchema#"

SOURCES_PER_CONCEPT = 4
WORDS = [
    "cortical",
    "spinal",
    "deep",
    "vagal",
    "sacral",
    "dorsal",
    "burst",
    "tonic",
    "closed",
    "open",
    "loop",
    "pulse",
    "lead",
    "electrode",
    "array",
    "nerve",
    "root",
    "ganglion",
    "field",
    "magnetic",
    "current",
    "focal",
    "pain",
    "tremor",
    "seizure",
    "mood",
    "gait",
    "sleep",
]
KINDS = ("Therapy", "Condition", "DeviceType", "Target")
STANCES = ("supports", "disputes", "neutral", "mixed")

Statement = tuple[str, str, str]


def iri(text: str) -> str:
    """An IRI as N-Quads writes it."""
    return f"<{text}>"


def text(value: str, language: str = "en") -> str:
    """A literal with a language tag."""
    return f'"{value}"@{language}'


def typed(value: object, datatype: str) -> str:
    """A literal with a datatype of XML Schema."""
    return f'"{value}"^^<{XSD}{datatype}>'


def concept(number: int, total: int, rng: random.Random) -> Iterator[Statement]:
    """One concept with label, synonyms, definition and a broader concept."""
    subject = concept_iri(number)
    kind = KINDS[number % len(KINDS)]
    yield subject, iri(RDF + "type"), iri(SKOS + "Concept")
    yield subject, iri(RDF + "type"), iri(NMO + kind)
    yield subject, iri(SKOS + "prefLabel"), text(f"{words(rng, 3)} {number}")
    yield subject, iri(SKOS + "altLabel"), text(words(rng, 2))
    yield subject, iri(SKOS + "definition"), text(words(rng, 14))
    yield subject, iri(SKOS + "inScheme"), iri(BASE + "scheme/" + kind.lower())
    if number > len(KINDS):
        yield subject, iri(SKOS + "broader"), concept_iri(rng.randrange(1, min(number, total)))


def concept_iri(number: int) -> str:
    """The IRI of a concept."""
    return iri(f"{BASE}NMOD_{number:07d}")


def words(rng: random.Random, how_many: int) -> str:
    """Words that say nothing."""
    return " ".join(rng.choice(WORDS) for _ in range(how_many))


def source(number: int, concepts: int, rng: random.Random) -> Iterator[Statement]:
    """A source with its study, claims and results."""
    key = f"doi-10.9999-b.{number}"
    subject, study = iri(f"{BASE}source/{key}"), iri(f"{BASE}study/{key}")
    yield subject, iri(RDF + "type"), iri(NMO + "TrialReport")
    yield subject, iri(DCT + "title"), text(words(rng, 9))
    yield subject, iri(DCT + "issued"), typed(rng.randrange(1985, 2027), "gYear")
    yield subject, iri(DCT + "identifier"), f'"10.9999/b.{number}"'
    yield subject, iri(NMO + "reports"), study
    for position in range(1, 4):
        yield subject, iri(DCT + "creator"), iri(f"{BASE}agent/{rng.randrange(1 + concepts * 2)}")
        yield from claim(key, position, concepts, rng)
    yield study, iri(RDF + "type"), iri(NMO + "Study")
    yield study, iri(NMO + "sampleSize"), typed(rng.randrange(8, 900), "integer")
    yield study, iri(NMO + "design"), iri(NMO + rng.choice(("randomised", "cohort", "caseSeries")))


def claim(key: str, number: int, concepts: int, rng: random.Random) -> Iterator[Statement]:
    """A claim and the result it rests on."""
    subject, result = iri(f"{BASE}claim/{key}.{number}"), iri(f"{BASE}result/{key}.{number}")
    yield subject, iri(RDF + "type"), iri(NMO + "Claim")
    yield subject, iri(NMO + "therapy"), concept_iri(rng.randrange(1, concepts + 1))
    yield subject, iri(NMO + "condition"), concept_iri(rng.randrange(1, concepts + 1))
    yield subject, iri(NMO + "stance"), iri(NMO + rng.choice(STANCES))
    yield subject, iri(NMO + "source"), iri(f"{BASE}source/{key}")
    yield subject, iri(NMO + "restsOn"), result
    yield subject, iri(RDFS + "comment"), text(words(rng, 12))
    yield subject, iri(NMO + "locator"), f'"table {number}"'
    yield result, iri(RDF + "type"), iri(NMO + "OutcomeResult")
    yield result, iri(NMO + "study"), iri(f"{BASE}study/{key}")
    yield result, iri(NMO + "estimateValue"), typed(f"{rng.uniform(-3, 3):.2f}1", "decimal")
    yield result, iri(NMO + "timePointMonths"), typed(rng.choice((3, 6, 12, 24)), "integer")
    yield result, iri(NMO + "analysed"), typed(rng.randrange(5, 800), "integer")


def quads(size: int, seed: int = 20261122) -> Iterator[str]:
    """About `size` lines of N-Quads."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    concepts = max(8, size // 60 // SOURCES_PER_CONCEPT)
    written = 0
    for number in range(1, concepts + 1):
        for statement in concept(number, concepts, rng):
            yield line(statement, f"{BASE}graph/concepts")
            written += 1
    for number in count(1):
        if written >= size:
            return
        for statement in source(number, concepts, rng):
            yield line(statement, f"{BASE}graph/doi-10.9999-b.{number}")
            written += 1


def line(statement: Statement, graph: str) -> str:
    """A line of N-Quads."""
    return f"{' '.join(statement)} <{graph}> .\n"


def main() -> int:
    """Write a graph of the wanted size to a file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("triples", type=int, help="how many, 10000 to 10000000")
    parser.add_argument("target", type=Path, help="the N-Quads file to write")
    wish = parser.parse_args()
    with wish.target.open("w", encoding="utf-8") as target:
        target.writelines(quads(wish.triples))
    return 0


if __name__ == "__main__":
    sys.exit(main())
