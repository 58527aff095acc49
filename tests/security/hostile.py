"""Queries that end, slow down or inflate engines that were not made for them."""

RUNAWAY = {
    "three-way cross join": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
    "unbounded path": "SELECT (COUNT(*) AS ?n)"
    " { ?a (<urn:x>|!<urn:y>)* ?b . ?c (<urn:x>|!<urn:y>)* ?d }",
    "order by of a cross join": "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f",
    "regular expression": 'SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(REGEX("'
    + "a" * 5000
    + '!", "^(a+)+$")) FILTER(?a = ?d && ?d = ?g && ?a != ?g) }',
    "doubling of a string": "SELECT (STRLEN(?z) AS ?n) { BIND('"
    + "x" * 64
    + "' AS ?v0) "
    + " ".join(f"BIND(CONCAT(?v{n}, ?v{n}) AS ?v{n + 1})" for n in range(28))
    + " BIND(CONCAT(?v28, ?v28, ?v28) AS ?z) }",
    "concatenation of everything": "SELECT (GROUP_CONCAT(CONCAT(STR(?a), STR(?d), STR(?f))) AS ?x)"
    " { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
}


def chain(start: str, link: str, size: int) -> str:
    """`start` and then as many links as fit."""
    return start + link * ((size - len(start)) // len(link))


def nested(opening: str, inside: str, closing: str, size: int) -> str:
    """As deep as fits."""
    depth = size // (len(opening) + len(closing))
    return opening * depth + inside + closing * depth


def deep(size: int) -> dict[str, str]:
    """Queries of about `size` bytes whose depth or length is the danger."""
    room = size - 200
    spo = "?s ?p ?o"
    return {
        "nested STR": f"SELECT ({nested('STR(', '1', ')', room)} AS ?x) {{}}",
        "nested groups": f"SELECT * {nested('{', spo, '}', room)}",
        "nested OPTIONAL": f"SELECT * {{ {nested('OPTIONAL {', spo, '}', room)} }}",
        "nested NOT EXISTS": f"SELECT * {{ {nested('FILTER NOT EXISTS {', spo, '}', room)} }}",
        "nested brackets": f"SELECT ({nested('(', '1', ')', room)} AS ?x) {{}}",
        "nested blank nodes": f"SELECT * {{ ?s ?p {nested('[ ?p ', '1', ' ]', room)} }}",
        "nested lists": f"SELECT * {{ ?s ?p {nested('(', '1', ')', room)} }}",
        "nested sub-queries": f"SELECT * {nested('{ SELECT * ', '{}', '}', room)}",
        "nested not": f"SELECT * {{ FILTER({nested('!(', 'true', ')', room)}) }}",
        "nested paths": f"SELECT * {{ ?s {nested('(', '<urn:p>', ')*', room)} ?o }}",
        "nested triple terms": f"SELECT * {{ {nested('<<( ?s ?p ', '1', ' )>>', room)} ?p 1 }}",
        "or chain": f"SELECT * {{ FILTER(true{chain('', '||true', room)}) }}",
        "and chain": f"SELECT * {{ FILTER(true{chain('', '&&true', room)}) }}",
        "plus chain": f"SELECT (1{chain('', '+1', room)} AS ?x) {{}}",
        "minus signs": f"SELECT ({'-' * room}1 AS ?x) {{}}",
        "union chain": f"SELECT * {{ {{}}{chain('', 'UNION{}', room)} }}",
        "optional chain": f"SELECT * {{ {chain('', 'OPTIONAL{?s ?p ?o}', room)} }}",
        "bind chain": "SELECT * { "
        + " ".join(f"BIND({n} AS ?v{n})" for n in range(room // 20))
        + " }",
        "path steps": f"SELECT * {{ ?s <urn:p>{chain('', '/<urn:p>', min(room, 8000))} ?o }}",
        "path choices": f"SELECT * {{ ?s <urn:p>{chain('', '|<urn:p>', room)} ?o }}",
        "long list": f"SELECT * {{ ?s ?p ({chain('', '1 ', min(room, 1024))}) }}",
        "values blocks": "SELECT * { "
        + " ".join(f"VALUES ?v{n} {{ 1 2 }}" for n in range(min(256, room // 24)))
        + " }",
        "many triples": "SELECT * { "
        + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(room // 24))
        + " }",
        "one long word": "SELECT * { ?" + "a" * room + " ?p ?o }",
        "one long text": 'SELECT ("' + "a" * room + '" AS ?x) {}',
        "one long comment": "#" + "a" * room + "\nASK {}",
        "in list": f"SELECT * {{ ?s ?p ?o FILTER(?o IN (1{chain('', ',1', room)})) }}",
    }
