"""The process that judges one submission and ends: nothing of it is left for the next.

`python -m publisher.validation.child <release> <megabytes> <seconds>` reads the release, waits for
a job on standard input (a line of JSON with its size, then the text) and writes the verdict to
standard output. Network, other programs and the writing of files are taken from it before it reads
the text.
"""

from __future__ import annotations

import json
import os
import resource
import select
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from publisher.engine import sandbox
from publisher.errors import PublisherError
from publisher.validation.judging import Judge

STACK = 64 * 2**20
# an idle process is not kept for ever
IDLE_SECONDS = 600


def main(arguments: list[str]) -> NoReturn:
    """Serve one job."""
    release, megabytes, seconds = arguments
    judge = Judge(Path(release))
    ready, _, _ = select.select([sys.stdin], [], [], IDLE_SECONDS)
    if not ready:
        os._exit(0)
    sandbox.limit_memory(int(megabytes), STACK)
    # a second end, for the case that whoever started this has gone
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 5, int(seconds) + 5))
    sandbox.confine()
    threading.stack_size(STACK)
    worker = threading.Thread(target=_work, args=(judge,))
    worker.start()
    worker.join()
    os._exit(0)


def _work(judge: Judge) -> None:
    head = sys.stdin.buffer.readline()
    if not head:
        os._exit(0)
    job: dict[str, Any] = json.loads(head)
    text = sys.stdin.buffer.read(job["bytes"]).decode("utf-8")
    _say(_answer(judge, text, job["form"]))


def _answer(judge: Judge, text: str, form: str) -> dict[str, Any]:
    try:
        return {"verdict": judge.judge(text, form).as_json()}
    except PublisherError as error:
        return {"error": type(error).__name__, "about": error.__dict__}
    except (MemoryError, RecursionError) as error:
        return {"error": "QueryTooCostly", "about": {"what": type(error).__name__}}


def _say(content: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(content).encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
