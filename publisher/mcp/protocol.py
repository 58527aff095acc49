"""JSON-RPC 2.0 line by line, and the methods of the Model Context Protocol that tools need.

Two ways to begin, https://modelcontextprotocol.io/specification: up to 2025-11-25 a client says
`initialize`; from 2026-07-28 on every request carries its version in `_meta`, and `server/discover`
says what there is. Both are spoken.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, Any

from publisher.errors import PublisherError
from publisher.mcp.tools import Answer, Json, Tool

log = logging.getLogger("publisher.mcp")

HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = ("2026-07-28",)
BATCHED = "2025-03-26"  # the one version in which messages may come in lists
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND = -32700, -32600, -32601
INVALID_PARAMS, INTERNAL_ERROR, UNSUPPORTED_VERSION = -32602, -32603, -32022
VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
SERVER = "io.modelcontextprotocol/serverInfo"
LONGEST_LINE = 4 * 2**20
AT_ONCE = 4
FRESH_MS = 300_000  # a release does not change while it is served


class Refused(Exception):
    """A request that gets an error instead of a result."""

    def __init__(self, code: int, message: str, data: Json | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


@dataclass
class Server:
    """One conversation. `info` has name, title and version; `guide` is for the model to read."""

    info: Json
    guide: str
    tools: Mapping[str, Tool]
    version: str = ""  # what initialize settled on
    _left: set[str] = field(default_factory=set)  # requests that the client gave up
    _pending: set[str] = field(default_factory=set)

    # lines

    def serve(self, source: IO[bytes], sink: IO[bytes]) -> None:
        """Answer until the source ends; several tools may run at once, each answer is one line."""
        lock = threading.Lock()

        def send(message: Json | list[Json] | None) -> None:
            if message is not None:
                line = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
                with lock:
                    sink.write(line + b"\n")
                    sink.flush()

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tools") as pool:
            for line in iter(lambda: source.readline(LONGEST_LINE + 1), b""):
                if line.strip():
                    self._take(line, send, pool)

    def _take(self, line: bytes, send: Callable[..., None], pool: ThreadPoolExecutor) -> None:
        """One line: tools run beside, so that a ping or a cancellation need not wait for them."""
        try:
            if len(line) > LONGEST_LINE:
                raise ValueError("too long")
            message = json.loads(line)
        except (ValueError, RecursionError):
            send(_failed(None, Refused(PARSE_ERROR, "this line is not JSON")))
            return
        if isinstance(message, dict) and message.get("method") == "tools/call":
            self._pending.add(_name(message.get("id")))
            pool.submit(lambda: send(self.answer(message)))
        else:
            send(self.answer(message))

    # messages

    def answer(self, message: Any) -> Json | list[Json] | None:
        """The response to a message; None for what wants none."""
        if isinstance(message, list) and message and self.version == BATCHED:
            found = [reply for each in message if isinstance(reply := self.answer(each), dict)]
            return found or None
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            return _failed(None, Refused(INVALID_REQUEST, "this is no JSON-RPC 2.0 message"))
        if "method" not in message:
            return None  # a response; nothing was asked
        number, method = message.get("id"), message["method"]
        if "id" not in message:
            self._hear(method, message.get("params"))
            return None
        if not isinstance(number, str | int) or isinstance(number, bool):
            return _failed(None, Refused(INVALID_REQUEST, "id must be a text or a whole number"))
        if not isinstance(method, str) or not isinstance(message.get("params", {}), dict):
            wrong = Refused(INVALID_REQUEST, "method must be a text, and params an object")
            return _failed(number, wrong)
        try:
            result = self._result(method, message.get("params", {}))
        except Refused as refused:
            return _failed(number, refused)
        except Exception:
            log.exception("%s failed", method)
            return _failed(number, Refused(INTERNAL_ERROR, "something went wrong here"))
        finally:
            gone = _name(number) in self._left
            self._left.discard(_name(number))
            self._pending.discard(_name(number))
        return None if gone else {"jsonrpc": "2.0", "id": number, "result": result}

    def _hear(self, method: Any, params: Any) -> None:
        """A notification: only that somebody waits no more for an answer matters here."""
        if method == "notifications/cancelled" and isinstance(params, dict):
            name = _name(params.get("requestId"))
            if name in self._pending:
                self._left.add(name)

    def _result(self, method: str, params: Json) -> Json:
        modern = self._is_modern(params)
        if method == "initialize" and not modern:
            return self._initialize(params)
        if method == "ping" and not modern:
            return {}
        if not modern and not self.version:
            raise Refused(INVALID_REQUEST, "initialize comes first")
        known: dict[str, Callable[[Json], Json]] = {
            "tools/list": self._list,
            "tools/call": self._call,
        }
        if modern:
            known["server/discover"] = self._discover
        if method not in known:
            raise Refused(METHOD_NOT_FOUND, f"there is no method {method[:100]}")
        result = known[method](params)
        if not modern:
            return result
        fresh = {} if method == "tools/call" else {"ttlMs": FRESH_MS, "cacheScope": "public"}
        return {**result, **fresh, "resultType": "complete", "_meta": {SERVER: self.info}}

    def _is_modern(self, params: Json) -> bool:
        """Whether a request carries its own version; raises for one that is not spoken."""
        meta = params.get("_meta")
        if not isinstance(meta, dict) or VERSION not in meta:
            return False
        version = meta[VERSION]
        if not isinstance(version, str) or not isinstance(meta.get(CAPABILITIES), dict):
            raise Refused(INVALID_PARAMS, f"_meta needs a text {VERSION} and {CAPABILITIES}")
        if version not in MODERN:
            data = {"supported": list(MODERN), "requested": version}
            raise Refused(UNSUPPORTED_VERSION, "this version is not spoken here", data)
        return True

    # methods

    def _initialize(self, params: Json) -> Json:
        """The version that the client wants, else the newest of ours."""
        wanted = params.get("protocolVersion")
        if not isinstance(wanted, str):
            raise Refused(INVALID_PARAMS, "protocolVersion is missing")
        self.version = wanted if wanted in HANDSHAKE else HANDSHAKE[-1]
        return {
            "protocolVersion": self.version,
            "capabilities": {"tools": {"listChanged": False}},
            "serverInfo": self.info,
            "instructions": self.guide,
        }

    def _discover(self, params: Json) -> Json:  # noqa: ARG002 - every method has them
        return {
            "supportedVersions": list(MODERN),
            "capabilities": {"tools": {"listChanged": False}},
            "instructions": self.guide,
        }

    def _list(self, params: Json) -> Json:
        if params.get("cursor") is not None:
            raise Refused(INVALID_PARAMS, "there is one page of tools")
        return {"tools": [tool.described() for tool in self.tools.values()]}

    def _call(self, params: Json) -> Json:
        """What a tool says; what goes wrong in it is for the model to read, and to mend."""
        name, arguments = params.get("name"), params.get("arguments", {})
        tool = self.tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise Refused(INVALID_PARAMS, f"there is no tool {str(name)[:100]}")
        if not isinstance(arguments, dict):
            raise Refused(INVALID_PARAMS, "arguments must be an object")
        try:
            return _told(tool.call(arguments))
        except PublisherError as error:
            return {"content": [{"type": "text", "text": str(error)}], "isError": True}


def _told(answer: Answer) -> Json:
    return {
        "content": [{"type": "text", "text": answer.text}],
        "structuredContent": answer.data,
        "isError": False,
    }


def _failed(number: str | int | None, refused: Refused) -> Json:
    error: Json = {"code": refused.code, "message": str(refused)}
    if refused.data is not None:
        error["data"] = refused.data
    return {"jsonrpc": "2.0", "id": number, "error": error}


def _name(number: object) -> str:
    """1 and "1" are two different requests."""
    return repr(number)
