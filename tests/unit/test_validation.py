"""Judging what strangers send: the same as the check of the graph itself would say."""

from pathlib import Path

import pytest

from publisher import check, corpus, release
from publisher.errors import BadRequest, MalformedData
from publisher.protocol import forms
from publisher.protocol.values import Request
from publisher.validation import reading
from publisher.validation.judging import Judge

TINY = Path(__file__).parent.parent / "fixtures/tiny"
CONTEXT = {"@context": {"lv": "http://example.org/lights/ontology#"}}


@pytest.fixture(scope="module")
def judge(lights_release: Path) -> Judge:
    return Judge(release.read(lights_release).path)


@pytest.mark.parametrize("kind", ["good", "bad"])
def test_the_examples_of_a_shape_are_judged_as_they_are_meant(judge: Judge, kind: str) -> None:
    """Each shape's own good and bad one."""
    for file in (TINY / "shapes/examples").glob(f"*-{kind}.ttl"):
        verdict = judge.judge(file.read_text(), "turtle")
        assert verdict.judged == 1
        assert verdict.conforms is (kind == "good"), file.name


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("data/sources/isbn-978-0-00-000001-9.ttl", "lv:verdict lv:Seen ;", "lv:verdict lv:Gone ;"),
        ("data/sources/isbn-978-0-00-000001-9.ttl", "lv:miles 12.5 ;", "lv:miles -12.5 ;"),
        ("data/sources/isbn-978-0-00-000001-9.ttl", "lv:light LGT:0001 ;\n", ""),
        ("data/lights/0001-grey-point.ttl", "skos:prefLabel", "skos:altLabel"),
    ],
)
def test_a_fault_is_told_as_the_check_tells_it(
    judge: Judge, copy: Path, file: str, old: str, new: str
) -> None:
    """The same shape, line and way to mend it."""
    path = copy / file
    text = path.read_text().replace(old, new, 1)
    path.write_text(text)
    wanted = {
        (f.rule, f.line, f.message, f.fix)
        for f in check.judge(corpus.read(copy), processes=1).findings
        if f.rule.startswith("shape:") or f.rule.endswith("Component")
    }
    found = {(f.rule, f.line, f.message, f.fix) for f in judge.judge(text, "turtle").findings}
    assert wanted
    assert found == wanted


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("", "turtle"),
        ("  {", "jsonld"),
        ('[{"@id": 1}]', "jsonld"),
        ("[]", "jsonld"),
        ("[ a <u:c> ] .", "turtle"),
        ("<u:a> <u:b> <u:c> .", "turtle"),
    ],
)
def test_the_format_is_guessed(text: str, form: str) -> None:
    """By how the text begins; an empty list of JSON is no Turtle either."""
    assert reading.guess(text) == form


def test_brackets_inside_texts_do_not_nest() -> None:
    """Nor do those behind an escaped quote."""
    text = '{"u:a": "' + "[" * 500 + '\\"' + "{" * 500 + '"}'
    assert len(reading.read(text, "jsonld", context_iri="", context={}, known=())) == 1


def test_a_term_of_the_own_context_is_known_by_its_address() -> None:
    """Alone, in a list, and beside one that is written out."""
    for context in ("u:own", ["u:own"], [{"x": "u:x"}, "u:own"]):
        text = f'{{"@context": {context!r}, "@id": "u:a", "lv:p": 1}}'.replace("'", '"')
        found = reading.read(text, "", context_iri="u:own", context=CONTEXT, known=())
        assert found[0].triple.predicate.value == "http://example.org/lights/ontology#p"


def test_what_is_no_json_has_its_place() -> None:
    """Line and column, from 1."""
    with pytest.raises(MalformedData) as caught:
        reading.read('{\n "a" 1}', "jsonld", context_iri="", context={}, known=())
    assert (caught.value.line, caught.value.column) == (2, 6)


def posted(body: bytes, kind: str) -> list[forms.Value]:
    return forms.fields(Request("POST", "/", headers={"content-type": kind}, body=body))


def test_forms_are_read_byte_for_byte() -> None:
    """Both kinds; a file keeps its line ends, and its name."""
    content = b"a\r\nb\n\x00--X\r\n"
    body = (
        b'--X\r\nContent-Disposition: form-data; name="file"; filename="a b.ttl"\r\n'
        b"Content-Type: text/turtle\r\n\r\n" + content + b"\r\n--X\r\n"
        b'Content-Disposition: form-data; name="format"\r\n\r\n\r\n--X--\r\n'
    )
    assert posted(body, 'multipart/form-data; boundary="X"') == [
        forms.Value("file", content, "a b.ttl"),
        forms.Value("format", b""),
    ]
    assert posted(b"a=%C3%A9+&b=", "application/x-www-form-urlencoded") == [
        forms.Value("a", "é ".encode()),
        forms.Value("b", b""),
    ]


def test_a_form_of_too_many_parts_is_refused() -> None:
    """Nobody's browser sends it."""
    part = b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    with pytest.raises(BadRequest):
        posted(part * 50 + b"--X--\r\n", "multipart/form-data; boundary=X")
