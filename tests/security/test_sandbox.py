"""What a confined process cannot do any more, asked of the kernel itself."""

import json
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Running, Starter

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="there is no such filter here",
)

# A process that confines itself, then tries; `syscall` goes round whatever the libraries do.
TRY = """
import ctypes, errno, json, os, socket, struct, subprocess, sys, threading
from publisher.engine import sandbox

port, number_of_ptrace, number_of_clone = map(int, sys.argv[1:4])
folder = sys.argv[4]
ours, theirs = socket.socketpair()
ready = socket.socket()
libc = ctypes.CDLL(None, use_errno=True)

def syscall(*values):
    ctypes.set_errno(0)
    if libc.syscall(*values) < 0:
        raise OSError(ctypes.get_errno(), "refused")

def threaded():
    done = []
    thread = threading.Thread(target=lambda: done.append(1))
    thread.start()
    thread.join()
    assert done

def talk():
    ours.sendall(b"x")
    assert theirs.recv(1) == b"x"

tries = {
    "thread": threaded,
    "read": lambda: open(__import__("publisher").__file__).read(),
    "talk": talk,
    "socket": lambda: socket.socket(),
    "connect": lambda: ready.connect(("127.0.0.1", port)),
    "send to": lambda: ready.sendmsg([b"x"], [], 0, ("127.0.0.1", port)),
    "listen": lambda: (ready.bind(("127.0.0.1", 0)), ready.listen()),
    "socket file": lambda: socket.socket(socket.AF_UNIX),
    "execute": lambda: os.execv("/bin/true", ["true"]),
    "run": lambda: subprocess.run(["/bin/true"]),
    "fork": lambda: os._exit(0) if os.fork() == 0 else None,
    "clone": lambda: syscall(number_of_clone, 17, 0, 0, 0, 0),
    "trace": lambda: syscall(number_of_ptrace, 16, os.getppid(), 0, 0),
    "kill": lambda: os.kill(os.getppid(), 0),
    "write": lambda: open(folder + "/new", "w"),
    "append": lambda: open(folder + "/old", "a"),
    "cut": lambda: os.truncate(folder + "/old", 0),
    "remove": lambda: os.unlink(folder + "/old"),
    "rename": lambda: os.rename(folder + "/old", folder + "/other"),
    "directory": lambda: os.mkdir(folder + "/new"),
    "link": lambda: os.symlink("/", folder + "/new"),
}
assert sandbox.confine()
found = {}
for name, attempt in tries.items():
    try:
        attempt()
        found[name] = "done"
    except OSError as error:
        found[name] = errno.errorcode.get(error.errno, "?")
print(json.dumps(found))
"""
ALLOWED = {"thread", "read", "talk"}
CALLS = {"x86_64": ("101", "56"), "aarch64": ("117", "220")}


@pytest.fixture
def ears() -> Iterator[socket.socket]:
    """A listener on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        yield listening


def test_a_confined_process_can_compute_and_read_and_nothing_else(
    ears: socket.socket, tmp_path: Path
) -> None:
    """No network, no program, no process, no signal, no file that is written."""
    (tmp_path / "old").write_text("kept")
    port = str(ears.getsockname()[1])
    calls = CALLS[platform.machine()]
    ran = subprocess.run(
        [sys.executable, "-c", TRY, port, *calls, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    found = json.loads(ran.stdout or "{}")
    assert found, ran.stderr
    assert {name for name, result in found.items() if result == "done"} == ALLOWED, ran.stderr
    refused = {result for name, result in found.items() if name not in ALLOWED}
    assert refused <= {"EPERM", "EACCES"}
    with pytest.raises(TimeoutError):
        ears.accept()
    assert [file.name for file in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text() == "kept"


@pytest.mark.parametrize("memory_triples", [0, 1_000_000])
def test_every_query_process_is_confined(starter: Starter, memory_triples: int) -> None:
    """Whether it was spawned or forked: the kernel says so of the thread that evaluates."""
    server: Running = starter(processes=1, workers=2, memory_triples=memory_triples)
    assert server.query("SELECT * { ?s ?p ?o FILTER(true) } LIMIT 1").status == 200

    def confined() -> set[int]:
        return {
            pid
            for pid in server.workers()
            for task in Path(f"/proc/{pid}/task").iterdir()
            if "Seccomp:\t2" in (task / "status").read_text()
        }

    end = time.monotonic() + 10  # the site answers when the first of them is ready
    while len(confined()) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(confined()) == 2


def test_a_confined_process_stays_within_its_memory(tmp_path: Path) -> None:
    """What it asks for above the limit is not given; what it holds already stays."""
    text = (
        "from publisher.engine import sandbox\n"
        "kept = bytearray(50 << 20)\n"
        "sandbox.limit_memory(64, 0)\n"
        "more = bytearray(32 << 20)\n"
        "try:\n    bytearray(64 << 20)\n"
        "except MemoryError:\n    print('refused', len(kept), len(more))\n"
    )
    ran = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.split() == ["refused", str(50 << 20), str(32 << 20)], ran.stderr
