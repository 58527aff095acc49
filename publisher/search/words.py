"""Folding of names, and the distance between two words."""

from __future__ import annotations

import re
import unicodedata

_APART = re.compile(r"[^0-9a-z]+")
LONGEST = 200


def fold(text: str, most: int = LONGEST) -> str:
    """Lower case without accents and punctuation: what two spellings of one name share.

    British and American spelling of Greek words share it, too. Only `most` characters are read.

    >>> fold("Parkinson’s  disease (early-onset)")
    'parkinsons disease early onset'
    >>> fold("Sleep apnoea"), fold("faecal")
    ('sleep apnea', 'fecal')
    """
    bare = unicodedata.normalize("NFKD", text[:most].replace("’", "'").replace("'s", "s"))
    plain = "".join(c for c in bare if not unicodedata.combining(c)).casefold()
    for written, meant in (("ß", "ss"), ("æ", "e"), ("œ", "e"), ("ae", "e"), ("oe", "e")):
        plain = plain.replace(written, meant)
    return _APART.sub(" ", plain).strip()


def identifier_forms(text: str) -> tuple[str, ...]:
    """How an identifier may be written: as it is, without its resolver, without its scheme.

    >>> identifier_forms("https://doi.org/10.1111/NER.12208")
    ('https://doi.org/10.1111/ner.12208', '10.1111/ner.12208', 'ner.12208')
    >>> identifier_forms("PMID: 25112889")
    ('pmid: 25112889', '25112889')
    """
    whole = text.strip()[:LONGEST].lower()
    bare = whole.removeprefix("https://").removeprefix("http://")
    resolved = re.sub(r"^(?:dx\.)?doi\.org/", "", bare)
    schemeless = re.sub(r"^[a-z]+(?:\s*:\s*|\s+(?=\d))", "", resolved)
    last = re.split(r"[/=#]", schemeless.rstrip("/"))[-1] if bare != whole else schemeless
    forms = (whole, resolved, schemeless, last)
    return tuple(dict.fromkeys(form for form in forms if form and (form == whole or form != bare)))


def distance(one: str, other: str, most: int) -> int:
    """Edits between two words (a swap of neighbours is one edit); more than `most` is `most + 1`.

    >>> distance("stimulaiton", "stimulation", 2)
    1
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return last[-1]


def tolerance(word: str) -> int:
    """How many edits a word of this length may be away from what was meant."""
    return 0 if len(word) < 4 else 1 if len(word) < 8 else 2
