"""Takes from a worker process what a query never needs: network, new programs, other processes.

A seccomp filter set through ctypes (no root, no dependency). pyoxigraph cannot be told not to
follow SERVICE, so this is what makes it true that nothing calls out, whatever the text of a query.
Where there is no seccomp (not Linux, or an unknown processor) SERVICE is refused by reading the
query only; `confine` then answers False.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from typing import NamedTuple

# name: number on x86_64, number on aarch64 (None: no such call there)
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # network
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    # other programs and processes
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "kill": (62, 129),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    # ways around the filter, and into the kernel
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    # files: nothing is made, removed, renamed or cut
    "creat": (85, None),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "truncate": (76, 45),
    "ftruncate": (77, 46),
    "chmod": (90, None),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchownat": (260, 54),
}


class _Machine(NamedTuple):
    """One processor: its place in the table above, and the calls whose arguments matter."""

    column: int
    audit: int
    clone: int
    clone3: int
    openat: int


_MACHINES = {
    "x86_64": _Machine(0, 0xC000003E, 56, 435, 257),
    "aarch64": _Machine(1, 0xC00000B7, 220, 435, 56),
}

# instructions of the classic packet filter, and places in struct seccomp_data
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _AUDIT, _FIRST_ARGUMENT, _THIRD_ARGUMENT = 0, 4, 16, 32
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NOT_ALLOWED, _NOT_THERE = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2


def limit_memory(megabytes: int, stack: int) -> None:
    """No more private memory than this above the stack; no core dumps."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    size = _held() + megabytes * 2**20 + stack
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))


def _held() -> int:
    """Private bytes that this process has now (a forked one shares its store)."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        lines = [line.split() for line in file if line.startswith("VmData:")]
    return int(lines[0][1]) * 1024 if lines else 0


def confine() -> bool:
    """Set the filter for this process and all its threads to come; False where there is none."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return False
    code = b"".join(_program(machine))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    text = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HxxxxxxP", len(code) // 8, ctypes.addressof(text))
    holder = ctypes.create_string_buffer(program, len(program))
    return not libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(holder), 0, 0)


def _program(machine: _Machine) -> list[bytes]:
    """Another architecture dies, listed calls fail, only threads start, files open for reading."""
    numbers = [row[machine.column] for row in _REFUSED.values()]
    return [
        *(_line(_LOAD, _AUDIT), _line(_EQUAL, machine.audit, yes=1), _line(_RETURN, _KILL)),
        *(_line(_LOAD, _NUMBER), _line(_AT_LEAST, _X32, no=1), _line(_RETURN, _NOT_ALLOWED)),
        *(line for n in numbers if n is not None for line in _when(n, _refuse())),
        # glibc then falls back to clone, whose flags can be seen from here
        *_when(machine.clone3, [_line(_RETURN, _NOT_THERE)]),
        *_when(machine.clone, _allow_only(_FIRST_ARGUMENT, _CLONE_THREAD)),
        *_when(machine.openat, _allow_without(_THIRD_ARGUMENT, _WRITING)),
        _line(_RETURN, _ALLOW),
    ]


def _when(number: int, lines: list[bytes]) -> list[bytes]:
    """Lines for one call only; the others jump over them."""
    return [_line(_EQUAL, number, no=len(lines)), *lines]


def _refuse() -> list[bytes]:
    return [_line(_RETURN, _NOT_ALLOWED)]


def _allow_only(argument: int, bits: int) -> list[bytes]:
    """Allowed when one of the bits is set."""
    test = _line(_ANY_BIT, bits, no=1)
    return [_line(_LOAD, argument), test, _line(_RETURN, _ALLOW), *_refuse()]


def _allow_without(argument: int, bits: int) -> list[bytes]:
    """Allowed when none of the bits is set."""
    test = _line(_ANY_BIT, bits, yes=1)
    return [_line(_LOAD, argument), test, _line(_RETURN, _ALLOW), *_refuse()]


def _line(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
