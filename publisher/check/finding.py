"""What a check says: one finding, and the report of all of them."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

Severity = Literal["violation", "warning", "info"]
_WEIGHT = {"violation": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Finding:
    """`rule` is the name of the rule or shape; `line` is 0 when the whole file is meant."""

    severity: Severity
    rule: str
    file: str
    line: int
    focus: str
    message: str
    fix: str = ""

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        return (self.file, self.line, _WEIGHT[self.severity], self.rule, self.message)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        lines = [f"{place}: {self.severity}: {self.message} [{self.rule}]"]
        if self.fix:
            lines.append(f"    {self.fix}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Report:
    """All findings, in the order of files and lines."""

    findings: tuple[Finding, ...]

    @cached_property
    def counts(self) -> dict[Severity, int]:
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in ("violation", "warning", "info")}

    @property
    def passed(self) -> bool:
        """Whether a release may be made: warnings do not stop one."""
        return not self.counts["violation"]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question with the nearest known name, or nothing.

    >>> did_you_mean("nmo:StanceSuports", ["nmo:StanceSupports", "nmo:Stance"])
    'did you mean nmo:StanceSupports?'
    """
    candidates = list(known)
    near = difflib.get_close_matches(name, candidates, n=3, cutoff=0.75)
    if not near:
        lower = {candidate.lower(): candidate for candidate in candidates}
        near = [lower[n] for n in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.75)]
    likely = [candidate for candidate in near if not _another_number(name, candidate)]
    return f"did you mean {likely[0]}?" if likely else ""


def _another_number(name: str, candidate: str) -> bool:
    """Two numbers are not each other's misspelling, unless they are long and one digit apart."""
    same_words = re.sub(r"[0-9]", "", name) == re.sub(r"[0-9]", "", candidate)
    return same_words and difflib.SequenceMatcher(None, name, candidate).ratio() < 0.95
