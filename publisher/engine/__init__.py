"""Answers SPARQL over one release: budgets, lanes and killable worker processes.

`question` what is asked; `outline` what a query's text says before any parser sees it; `answers`
results → bytes; `sandbox`, `frames`, `worker` the process a query runs in; `pool` those processes;
`embedded` the engine that the site uses. Kept empty of imports: every worker imports this package.
"""
