"""Checking: each slip of the pen is found, with file, line and a way to mend it."""

import re
import shutil
from pathlib import Path

import pytest

from publisher import check, corpus
from publisher.check import RULES
from publisher.check.finding import Finding, Report, did_you_mean
from publisher.corpus import Corpus
from tests.unit.conftest import Spoil

LIGHT = "data/lights/0001-grey-point.ttl"
OTHER_LIGHT = "data/lights/0002-sand-bank.ttl"
SOURCE = "data/sources/isbn-978-0-00-000001-9.ttl"


def the(report: Report, rule: str) -> Finding:
    """The first finding of a rule."""
    found = [f for f in report.findings if f.rule == rule]
    assert found, [str(f) for f in report.findings]
    return found[0]


def line_of(copy: Path, path: str, text: str) -> int:
    lines = (copy / path).read_text(encoding="utf-8").split("\n")
    return next(n for n, line in enumerate(lines, 1) if text in line)


def test_the_small_graph_passes(lights: Corpus) -> None:
    """Otherwise the tests below would prove nothing."""
    assert [str(f) for f in check.judge(lights, processes=1).findings] == []


# old text, new text, the rule that finds it, what stands on the found line, what the advice says
SLIPS = [
    (OTHER_LIGHT, '"Sand Bank"@en', '"grey point"@en', "one-name-each", "grey point", "use that"),
    (SOURCE, "lv:verdict lv:Seen", "lv:verdict lv:Sen", "known-terms", "lv:Sen ", "lv:Seen"),
    (SOURCE, "lv:miles 12.5", "lv:mile 12.5", "known-terms", "lv:mile ", "did you mean lv:miles?"),
    (SOURCE, "lv:light LGT:0001", "lv:light LGT:0099", "described-entities", "LGT:0099", ""),
    (SOURCE, "0001-0010", "0001-0001", "derived-entities", "0001-0001", "mend the number"),
    (SOURCE, "0001-0010", "0001-99", "derived-entities", "0001-99", "expected"),
    (SOURCE, "0001-0010", "0001-0077", "derived-entities", "0001-0077", "mend the number"),
    (SOURCE, "miles 12.5", "miles 012.50", "canonical-literals", "012.50", "write 12.5"),
    (SOURCE, "miles 12.5", "miles 1.25E1", "canonical-literals", "1.25E1", "decimal 12.5"),
    (SOURCE, "1901-03-09", "1901-02-30", "canonical-literals", "1901-02-30", "a day such as"),
    (SOURCE, "1901-03-09", "9 March", "canonical-literals", "9 March", "a day such as"),
    (SOURCE, "978-0-00-000001-9\" ;", "97-1\" ;", "identifiers", "97-1", "978-0-00-000000-2"),
    (SOURCE, "978-0-00-000001-9\" ;", "ISBN 978-0-00-000001-9\" ;", "identifiers", "ISBN 9",
     "write 978-0-00-000001-9"),
    (SOURCE, "978-0-00-000001-9\" ;", "978-0-00-000002-9\" ;", "sources-agree", "000002",
     "source:isbn-978-0-00-000002-9"),
    (SOURCE, "    lv:isbn \"978-0-00-000001-9\" ;\n", "", "sources-are-identified", "", "lv:isbn"),
    (SOURCE, "    lv:isbn \"978-0-00-000001-9\" ;\n", "", "sources-agree", "", "add lv:isbn"),
    (SOURCE, "    lv:verdict lv:Missed ;\n", "", "MinCountConstraintComponent", "", "add lv:"),
    (SOURCE, "lv:miles 7", 'lv:miles "seven"', "OrConstraintComponent", "seven", ""),
    (SOURCE, "lv:miles 7", "lv:miles -7", "MinInclusiveConstraintComponent", "-7", "0 or more"),
    (SOURCE, "lv:light LGT:0002", "lv:light LGT:0010", "ClassConstraintComponent",
     "lv:light LGT:0010", "expected a lv:Light"),
    (SOURCE, "@en ;", "@en", "readable", "", "end the statement"),
    (SOURCE, "sighting:isbn-978-0-00-000001-9.2\n", "sigthing:isbn-978-0-00-000001-9.2\n",
     "readable", "sigthing", "did you mean sighting:"),
    (SOURCE, "\n    a lv:Source ;", "\n    a lv:Source; # really", "canonical-form", "# really",
     "skos:editorialNote"),
    (SOURCE, "    a lv:Source ;", "  a lv:Source ;", "canonical-form", "a lv:Source",
     f"neuromodkg format {SOURCE}"),
    (SOURCE, "lv:light LGT:0001", "lv:light [ a lv:Light ]", "canonical-form", "[ a", "IRI"),
    (SOURCE, "lv:light LGT:0001", "lv:light LGT:0003", "retired", "LGT:0003", "use LGT:0001"),
    (LIGHT, '"Grey Point"@en', '" Grey Point"@en', "tidy-texts", '" Grey', "delete"),
    (LIGHT, '"Grey Point"@en', '"Gre\u0301y"@en', "tidy-texts", "Gre", "NFC"),
    (LIGHT, "a lv:Light ", "a lv:Lamp ", "kinds-in-their-folders", "a lv:Lamp", "move the file"),
    (LIGHT, "LGT:0001\n", "LGT:0004\n", "file-names", "a lv:Light", "mend the name"),
    (LIGHT, "skos:prefLabel", "skos:prefLable", "known-terms", "prefLable", "skos:prefLabel"),
    (LIGHT, "skos:altLabel", "skos:note", "declared-properties", "skos:note", "foreign.ttl"),
    (LIGHT, "    skos:definition \"A round tower at the end of a spit.\"@en ;\n", "",
     "shape:Light-definition", "", "add skos:definition"),
    (LIGHT, '"The Candle"@en', '"Grey Spit"@en ;\n    skos:prefLabel "The Candle"@en',
     "shape:Light-name", "", "one value per language"),
    ("shapes/Light.ttl", "lv:Light ;", "lv:Ligth ;", "shape-targets", "lv:Ligth", "lv:Light"),
    ("shapes/Light.ttl", "sh:minCount 1 ;", "sh:mincount 1 ;", "shape-parameters", "sh:mincount",
     "sh:minCount"),
    ("shapes/Light.ttl", "sh:minCount 1 ;", "sh:deactivated true ;", "shape-switched-off",
     "sh:deactivated", "delete"),
    ("shapes/Light.ttl", "sh:minCount 1 ;", 'sh:minCount "1" ;', "shape-values", '"1"', ""),
    ("shapes/Light.ttl", "sh:minCount 1 ;", 'sh:pattern "(" ;', "shape-values", '"("', ""),
    ("shapes/Light.ttl", "sh:property shape:Light-name", "sh:property shape:Light-nam",
     "shape-targets", "shape:Light-nam ", "shape:Light-name"),
    ("shapes/Light.ttl", "    sh:targetClass lv:Light ;\n", "", "shape-in-use", "", "targetClass"),
    ("ontology/rules/10-ranges.rq", "lv:range ?range", "lv:rnage ?range", "known-terms", "lv:rnage",
     "lv:range"),
    ("ontology/rules/10-ranges.rq", "WHERE {", "WHERE {{", "usable-rules", "", ""),
    ("ontology/rules/10-ranges.rq", "CONSTRUCT { ?range a", "CONSTRUCT { [] a", "usable-rules", "",
     "make an IRI"),
    ("ontology/pages/light-sightings.rq", "lv:miles ?miles", "lv:miles ?", "query-syntax", "", ""),
    ("data/queries/seen.ttl", "SELECT DISTINCT", "SELECT DISTINKT", "query-syntax", "DISTINKT", ""),
    ("data/queries/seen.ttl", "lv:Seen }", "lv:Sen }", "known-terms", "lv:Sen ", "lv:Seen"),
    ("data/mappings/wikidata.sssom.tsv", "wd:Q1047511", "wiki:Q1047511", "readable", "wiki:",
     "curie_map"),
    ("data/mappings/wikidata.sssom.tsv", "LGT:0010\t", "LGT:0077\t", "described-entities",
     "LGT:0077", ""),
    ("data/lights/0009-nothing.txt", "", "text", "expected-files", "", "name it"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "old", "new", "rule", "at", "fix"), SLIPS)
def test_a_slip_is_found(
    spoil: Spoil, copy: Path, path: str, old: str, new: str, rule: str, at: str, fix: str
) -> None:
    """By the rule for it, on its line, with advice."""
    finding = the(spoil(path, old, new), rule)
    assert finding.file == path
    assert fix in finding.fix
    if at:
        assert finding.line == line_of(copy, path, at)


def test_two_files_with_one_number(copy: Path) -> None:
    """Two curators minted at the same time."""
    shutil.copy(copy / LIGHT, copy / "data/lamps/0001-again.ttl")
    report = check.judge(corpus.read(copy), processes=1)
    assert the(report, "one-number-once").file == LIGHT
    assert "data/lamps/0001-again.ttl" in the(report, "one-file-each").message


def test_a_missing_source_file(copy: Path) -> None:
    """Every claim that points at it says so."""
    claims = copy / "data/sources/more.ttl"
    claims.write_text(
        (copy / SOURCE).read_text().partition("\n\n")[0]
        + "\n\n"
        + "".join(
            part for part in re.split(r"(?=^sighting)", (copy / SOURCE).read_text(), flags=re.M)[1:]
        )
    )
    (copy / SOURCE).unlink()
    finding = the(check.judge(corpus.read(copy), processes=1), "described-entities")
    assert "source:isbn-978-0-00-000001-9 is described in no file" in finding.message
    assert SOURCE in finding.fix


def test_a_retired_entity_without_replacement_is_a_warning(spoil: Spoil) -> None:
    """Its users get no hint."""
    path = "data/lights/0003-old-mole.ttl"
    finding = the(spoil(path, "    dcterms:isReplacedBy LGT:0001 ;\n"), "retired")
    assert finding.severity == "warning"


FAR = """# severity: warning
PREFIX lv: <https://lights.example/vocab#>
SELECT ?focus ?property ?message {
  ?focus lv:miles ?miles .
  BIND(lv:miles AS ?property)
  FILTER(?miles > 10)
  BIND(CONCAT(STR(?miles), " miles are too far to see") AS ?message)
}
"""


def test_a_check_that_the_graph_brings_is_run(copy: Path) -> None:
    """A query in ontology/checks that must find nothing; its findings have line and severity."""
    prefix = next(
        line for line in (copy / SOURCE).read_text("utf-8").split("\n") if "prefix lv:" in line
    )
    namespace = prefix.partition("<")[2].partition(">")[0]
    (copy / "ontology/checks").mkdir()
    query = FAR.replace("https://lights.example/vocab#", namespace)
    (copy / "ontology/checks/too-far.rq").write_text(query, "utf-8")
    report = check.judge(corpus.read(copy), processes=1)
    finding = the(report, "too-far")
    assert finding.severity == "warning"
    assert (finding.file, finding.line) == (SOURCE, line_of(copy, SOURCE, "miles 12.5"))
    assert finding.message == "12.5 miles are too far to see"
    assert report.passed


def test_a_check_that_is_none_is_told(copy: Path) -> None:
    """No focus, no finding: that must not look like a clean graph."""
    (copy / "ontology/checks").mkdir()
    (copy / "ontology/checks/vain.rq").write_text("ASK { ?s ?p ?o }", "utf-8")
    finding = the(check.judge(corpus.read(copy), processes=1), "checks")
    assert finding.file == "ontology/checks/vain.rq"


def test_violations_stop_a_release_and_warnings_do_not() -> None:
    """That is what severities mean."""
    warning = Finding("warning", "r", "f", 1, "", "m")
    assert Report((warning,)).passed
    assert not Report((warning, Finding("violation", "r", "f", 1, "", "m"))).passed


def test_findings_of_broken_files_do_not_hide_the_others(spoil: Spoil, copy: Path) -> None:
    """A syntax error in one file, a typo in another: both are told at once."""
    (copy / LIGHT).write_text("oops")
    report = spoil(SOURCE, "lv:verdict lv:Seen", "lv:verdict lv:Sen")
    assert the(report, "readable").file == LIGHT
    assert the(report, "known-terms").file == SOURCE


def test_every_rule_says_what_it_finds() -> None:
    """Its docstring is its documentation."""
    assert all(rule.__doc__ for rule in RULES)


@pytest.mark.parametrize(
    ("name", "known", "wanted"),
    [
        ("nmo:StanceSuports", ["nmo:StanceSupports", "nmo:StanceMixed"], "nmo:StanceSupports"),
        ("sh:mincount", ["sh:minCount", "sh:maxCount"], "sh:minCount"),
        ("zebra", ["apple"], ""),
        ("NMOD:0000012", ["NMOD:0000013"], ""),
        ("study:nct01996254", ["study:nct03319485"], ""),
        (
            "source:doi-10.1111-ner.1228",
            ["source:doi-10.1111-ner.12208"],
            "source:doi-10.1111-ner.12208",
        ),
    ],
)
def test_did_you_mean(name: str, known: list[str], wanted: str) -> None:
    """The nearest name, or nothing rather than nonsense."""
    assert did_you_mean(name, known) == (f"did you mean {wanted}?" if wanted else "")
