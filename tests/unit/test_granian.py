"""What the server uses of granian's inside: what a new version lacks is told here by name."""

import importlib
import importlib.metadata
import inspect
import re
import tomllib

import pytest
from granian import constants, server
from granian.http import HTTP1Settings
from granian.server import mp

from publisher.server.run import Supervisor
from tests.conftest import ROOT

# methods that Supervisor overrides or calls: their parameters after `self`
METHODS = {
    "_init_shared_socket": [],
    "_spawn_worker": ["idx", "target", "callback_loader"],
    "_spawn_workers": ["spawn_target", "target_loader"],
    "_respawn_workers": ["workers", "spawn_target", "target_loader", "delay"],
    "_serve_loop": ["spawn_target", "target_loader"],
    "_stop_workers": [],
    "serve": ["spawn_target", "target_loader", "wrap_loader"],
}
ATTRIBUTES = {
    "backlog": int,
    "bind_addr": str,
    "bind_port": int,
    "interrupt_children": list,
    "interrupt_signal": bool,
    "reload_signal": bool,
    "workers": int,
    "wrks": list,
}


@pytest.fixture(scope="module")
def made() -> Supervisor:
    """A supervisor that serves nothing."""
    return Supervisor("none", port=0, interface=constants.Interfaces.RSGI, log_enabled=False)


def test_the_version_is_one_that_was_looked_at() -> None:
    """The inside may change with any minor version, so the range ends before the next one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (wanted,) = (row for row in project["dependencies"] if row.startswith("granian"))
    low, high = re.findall(r"\d+(?:\.\d+)+", wanted)
    installed = importlib.metadata.version("granian")
    parts = [tuple(map(int, text.split("."))) for text in (low, installed, high)]
    assert parts[0] <= parts[1] < parts[2]
    assert parts[2] == (parts[0][0], parts[0][1] + 1)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_there_with_its_parameters(name: str) -> None:
    """On granian's own class, not only on ours."""
    method = getattr(server.Server, name, None)
    assert method is not None, f"granian's server has no {name} any more"
    assert [*inspect.signature(method).parameters][1:] == METHODS[name]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_is_there(made: Supervisor, name: str) -> None:
    """Of the kind that we take it for."""
    assert isinstance(getattr(made, name, None), ATTRIBUTES[name]), f"no {name} any more"


def test_the_loop_is_woken_by_an_event(made: Supervisor) -> None:
    """By the handlers of signals."""
    made.signal_handler_reload()
    assert made.reload_signal
    assert made.main_loop_interrupt.is_set()


def test_processes_know_what_we_ask_of_them() -> None:
    """Whether they live, how to kill them, and that their end was meant."""
    assert server.Server is mp.MPServer, "granian serves in threads here"
    for name in ("is_alive", "kill", "terminate", "join", "start"):
        assert callable(getattr(mp.WorkerProcess, name, None)), f"no {name} any more"
    spawning = inspect.getsource(mp.WorkerProcess)
    for name in ("self.inner = multiprocessing", "interrupt_by_parent", "get_start_method"):
        assert name in spawning, f"{name} is gone from granian's processes"
    target = inspect.getsource(mp.MPServer._spawn_rsgi_worker)
    for name in ("callback_init(loop)", "callback_del(loop)", "set_loop_signals(loop)"):
        assert name in target, f"{name} is gone from what granian's processes do"
    assert "self._shd" in inspect.getsource(mp.MPServer._spawn_worker), "listeners go another way"


def test_a_listening_socket_is_built_and_shared() -> None:
    """Its descriptor is what `_init_shared_socket` keeps."""
    specification = importlib.import_module("granian.net").SocketSpec
    assert specification("127.0.0.1", 0, 16).build().get_fd() > 2


def test_the_conversation_has_what_the_front_layer_uses() -> None:
    """Replies whole, empty, from files, in pieces; hearing that the client has left."""
    rsgi = importlib.import_module("granian.rsgi")
    for name in (
        "client_disconnect",
        "response_empty",
        "response_bytes",
        "response_file",
        "response_file_range",
        "response_stream",
    ):
        assert hasattr(rsgi.HTTPProtocol, name), f"no {name} any more"
    assert issubclass(rsgi.ProtocolClosed, Exception)
    assert {"header_read_timeout", "max_buffer_size"} <= {
        *inspect.signature(HTTP1Settings).parameters
    }
