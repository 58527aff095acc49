"""Judges a corpus: form, names, links, identifiers, shapes.

Every rule is a function from a corpus to findings; the table below is all of them. A violation
stops a release, a warning is counted, an info is listed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from publisher.check import (
    form,
    identifiers,
    identity,
    literals,
    queries,
    retired,
    shacl,
    shapes,
    vocabulary,
)
from publisher.check.finding import Finding, Report
from publisher.corpus import Corpus, Progress, silent

__all__ = ["Finding", "Report", "judge"]

Rule = Callable[[Corpus], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    form.readable,
    form.expected_files,
    form.canonical_form,
    literals.canonical_literals,
    literals.tidy_texts,
    vocabulary.known_terms,
    vocabulary.known_terms_in_queries,
    vocabulary.declared_properties,
    vocabulary.described_entities,
    vocabulary.derived_entities,
    queries.readable,
    queries.usable_rules,
    queries.consistent,
    identity.file_names,
    identity.one_number_once,
    identity.one_name_each,
    identity.one_file_each,
    identity.kinds_in_their_folders,
    identifiers.well_formed,
    identifiers.sources_are_identified,
    identifiers.sources_agree,
    retired.replaced,
    retired.unused,
    shapes.known_parameters,
    shapes.known_targets,
    shapes.switched_on,
    shapes.sensible_values,
    shapes.in_use,
)


UNREADABLE = ("readable", "usable-rules")


def judge(
    corpus: Corpus,
    *,
    only: Collection[str] = (),
    progress: Progress = silent,
    processes: int | None = None,
) -> Report:
    """Every finding, by file and line. SHACL runs only when all files and rules could be read.

    With `only`, the findings of these files: the shapes then look at nothing else, which takes a
    fraction of the time.
    """
    findings: list[Finding] = []
    for done, rule in enumerate(RULES, 1):
        findings.extend(rule(corpus))
        progress("checking", done, len(RULES))
    if not any(finding.rule in UNREADABLE for finding in findings):
        findings.extend(shacl.conforms(corpus, only=only, progress=progress, processes=processes))
    # A file that cannot be read keeps the shapes from being looked at, so it is always told.
    chosen = {f for f in findings if not only or f.file in only or f.rule in UNREADABLE}
    return Report(tuple(sorted(chosen, key=lambda finding: finding.order)))
