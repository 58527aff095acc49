"""Processes that judge one submission each; one is kept warm, as starting takes a second."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from publisher import errors
from publisher.errors import Overloaded, PublisherError, QueryTimeout, QueryTooCostly


@dataclass(frozen=True)
class Submission:
    """A text, and the format it claims to be in (`turtle`, `jsonld`; empty: to be guessed)."""

    text: str
    form: str = ""


@dataclass(frozen=True)
class Judged:
    """The verdict as `judging.Verdict` has it, findings as plain dictionaries."""

    conforms: bool
    statements: int
    judged: int
    findings: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    more: int
    report: str

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each severity."""
        names = ("violation", "warning", "info")
        return {n: sum(f["severity"] == n for f in self.findings) for n in names}


class Bench:
    """A few places; whoever finds none free is sent away rather than kept waiting."""

    def __init__(self, release: Path, *, places: int, seconds: float, megabytes: int) -> None:
        self.release = release
        self.seconds = seconds
        self.megabytes = megabytes
        self.gate = threading.BoundedSemaphore(max(1, places))
        self.lock = threading.Lock()
        self.spare: subprocess.Popen[bytes] | None = None

    def judge(self, submission: Submission) -> Judged:
        """The verdict; raises RequestError for what cannot be read or takes too much."""
        if not self.gate.acquire(blocking=False):
            raise Overloaded("every place for validation is taken", retry_after=5)
        try:
            answer = self._ask(self._take(), submission)
        finally:
            self.gate.release()
            self._prepare()
        if "verdict" in answer:
            return Judged(**answer["verdict"])
        raise _error(answer, self.megabytes)

    def _ask(self, child: subprocess.Popen[bytes], submission: Submission) -> dict[str, Any]:
        body = submission.text.encode("utf-8", "replace")
        head = json.dumps({"form": submission.form, "bytes": len(body)}).encode() + b"\n"
        try:
            found, _ = child.communicate(head + body, timeout=self.seconds)
        except subprocess.TimeoutExpired:
            raise QueryTimeout(
                f"validation took longer than the {self.seconds:g} seconds it is given",
                fix="send less at once, or run `neuromodkg check` on your own machine",
            ) from None
        finally:
            child.kill()
            child.communicate()
        if child.returncode or not found:
            return {"error": "QueryTooCostly", "about": {}}
        answer: dict[str, Any] = json.loads(found)
        return answer

    def _take(self) -> subprocess.Popen[bytes]:
        with self.lock:
            found, self.spare = self.spare, None
        if found is not None:
            if found.poll() is None:
                return found
            found.communicate()
        return self._start()

    def _prepare(self) -> None:
        with self.lock:
            if self.spare is None or self.spare.poll() is not None:
                self.spare = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        """None of our environment, and its own directory."""
        package = str(Path(__file__).resolve().parents[2])
        limits = [str(self.megabytes), str(max(1, round(self.seconds)))]
        return subprocess.Popen(  # noqa: S603 - the command is our own
            [sys.executable, "-m", "publisher.validation.child", str(self.release), *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": package, "MALLOC_ARENA_MAX": "2", "LANG": "C.UTF-8"},
            cwd="/",
        )

    def close(self) -> None:
        """End the spare; idempotent."""
        with self.lock:
            found, self.spare = self.spare, None
        if found is not None:
            found.kill()
            found.communicate()


# what reading a text may raise; a process that says anything else has come to harm
_FAMILIES: dict[str, type[PublisherError]] = {
    family.__name__: family
    for family in (errors.MalformedData, errors.Forbidden, errors.UnsupportedMedia)
}


def _error(answer: dict[str, Any], megabytes: int) -> PublisherError:
    """What the process said, as what it was; a process that died took too much."""
    family = _FAMILIES.get(str(answer["error"]))
    if family is None:
        return QueryTooCostly(
            f"validation needs more than the {megabytes} MB it is given",
            fix="send less at once, or nest less deeply",
        )
    error: PublisherError = family.__new__(family)
    error.args = (answer["about"].get("what", ""),)
    error.__dict__.update(answer["about"])
    return error
