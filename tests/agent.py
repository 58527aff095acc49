"""A client of `neuromodkg mcp`: the real process, spoken to line by line."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT


@dataclass
class Client:
    """One process and its lines."""

    process: subprocess.Popen[bytes]
    number: int = 0

    def write(self, message: Any) -> None:
        assert self.process.stdin is not None
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), "the process ended"
        assert b"\n" not in line[:-1]
        return json.loads(line)

    def send(self, method: str, params: Any = None) -> int:
        self.number += 1
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": self.number, "method": method}
        self.write(message if params is None else {**message, "params": params})
        return self.number

    def ask(self, method: str, params: Any = None) -> Any:
        """The result of a request."""
        number = self.send(method, params)
        reply = self.read()
        assert (reply["jsonrpc"], reply["id"]) == ("2.0", number)
        return reply.get("result", reply.get("error"))

    def notify(self, method: str, params: Any = None) -> None:
        self.write({"jsonrpc": "2.0", "method": method, "params": params or {}})

    def begin(self, version: str = "2025-11-25") -> Any:
        found = self.ask(
            "initialize",
            {
                "protocolVersion": version,
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "0"},
            },
        )
        self.notify("notifications/initialized")
        return found

    def call(self, name: str, /, **arguments: Any) -> tuple[str, Any]:
        """The text and the data of a tool."""
        found = self.ask("tools/call", {"name": name, "arguments": arguments})
        assert found["isError"] is False, found
        assert [part["type"] for part in found["content"]] == ["text"]
        return found["content"][0]["text"], found["structuredContent"]

    def fail(self, name: str, /, **arguments: Any) -> str:
        """The text of a tool that cannot do what it was asked."""
        found = self.ask("tools/call", {"name": name, "arguments": arguments})
        assert found["isError"] is True, found
        text: str = found["content"][0]["text"]
        return text

    def end(self) -> int:
        """Its exit code when nobody writes to it any more."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


def start(release: Path, **settings: object) -> Client:
    own = {f"NEUROMODKG_{name.upper()}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "publisher.cli", "mcp", "--release", str(release)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **own, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    return Client(process)
