"""What one client may use each minute, by a clock that the test turns."""

from pathlib import Path

import pytest

from publisher.errors import TooManyRequests
from publisher.limits import ROWS, Shares, network_of

SOMEBODY, ANOTHER = "192.0.2.7", "192.0.2.8"


class Clock:
    """Seconds, as the test wants them."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def shares(tmp_path: Path, clock: Clock) -> Shares:
    """Ten seconds of query time and five errors a minute."""
    return Shares(tmp_path / "shares", seconds=10, errors=5, now=clock)


def refused(shares: Shares, client: str = SOMEBODY) -> int:
    """Seconds to wait; 0 when the client is admitted."""
    try:
        shares.admit(client)
    except TooManyRequests as error:
        return error.retry_after
    return 0


def test_a_share_is_used_up_and_leaks_away(shares: Shares, clock: Clock) -> None:
    """What was spent comes back evenly: all of it within a minute."""
    shares.spend(SOMEBODY, 9.5)
    assert not refused(shares)
    shares.spend(SOMEBODY, 0.5)
    assert refused(shares)
    clock.time += 6  # a tenth of a minute gives a tenth of the share
    assert not refused(shares)
    shares.spend(SOMEBODY, 1)
    assert refused(shares)
    clock.time += 60
    shares.spend(SOMEBODY, 9.9)
    assert not refused(shares)


def test_the_time_to_wait_is_true(shares: Shares, clock: Clock) -> None:
    """Whoever waits as long as told is admitted; half of it is not enough."""
    shares.spend(SOMEBODY, 40)
    wait = refused(shares)
    clock.time += wait / 2
    assert refused(shares)
    clock.time += wait / 2
    assert not refused(shares)


def test_errors_count_for_themselves(shares: Shares, clock: Clock) -> None:
    """Five failed queries are a share, however short they were; good ones are none."""
    for _ in range(100):
        shares.spend(SOMEBODY, 0.0)
    assert not refused(shares)
    for _ in range(5):
        shares.spend(SOMEBODY, 0.0, failed=True)
    assert refused(shares)
    clock.time += 13
    assert not refused(shares)


def test_one_client_does_not_use_up_anothers(shares: Shares) -> None:
    """Each address has its own share."""
    shares.spend(SOMEBODY, 100)
    assert refused(shares)
    assert not refused(shares, ANOTHER)


def test_a_limit_of_nothing_limits_nothing(tmp_path: Path, clock: Clock) -> None:
    """0 switches either limit off, and only that one."""
    free = Shares(tmp_path / "free", seconds=0, errors=0, now=clock)
    free.spend(SOMEBODY, 1e6, failed=True)
    assert not refused(free)
    errors = Shares(tmp_path / "errors", seconds=0, errors=1, now=clock)
    errors.spend(SOMEBODY, 1e6)
    assert not refused(errors)
    errors.spend(SOMEBODY, 0, failed=True)
    assert refused(errors)
    seconds = Shares(tmp_path / "seconds", seconds=1, errors=0, now=clock)
    for _ in range(100):
        seconds.spend(SOMEBODY, 0, failed=True)
    assert not refused(seconds)
    seconds.spend(SOMEBODY, 1)
    assert refused(seconds)


def test_all_serving_processes_count_together(tmp_path: Path, clock: Clock) -> None:
    """The table is a shared file."""
    one = Shares(tmp_path / "shares", seconds=10, errors=5, now=clock)
    two = Shares(tmp_path / "shares", seconds=10, errors=5, now=clock)
    one.spend(SOMEBODY, 5)
    two.spend(SOMEBODY, 5)
    assert refused(one)
    assert refused(two)


def test_this_machine_is_limited_when_that_is_set(tmp_path: Path, clock: Clock) -> None:
    """By default, loopback is a proxy or whoever runs the site."""
    for limits in (False, True):
        own = Shares(tmp_path / str(limits), seconds=1, errors=1, loopback=limits, now=clock)
        for address in ("127.0.0.1", "127.9.9.9", "::1"):
            own.spend(address, 10)
            assert bool(refused(own, address)) is limits


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
    ],
)
def test_a_client_is_an_address_or_a_network(
    shares: Shares, one: str, other: str, same: bool
) -> None:
    """Anybody has all addresses of an IPv6 /64, so they share what is one's."""
    assert (network_of(one) == network_of(other)) is same
    shares.spend(one, 100)
    assert bool(refused(shares, other)) is same


def test_many_clients_take_no_more_room_and_know_nothing_of_each_other(
    tmp_path: Path, clock: Clock
) -> None:
    """The table has a fixed size; who shares a row with somebody starts with an empty share."""
    file = tmp_path / "shares"
    shares = Shares(file, seconds=10, errors=5, now=clock)
    size = file.stat().st_size
    for number in range(2 * ROWS):
        client = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        assert not refused(shares, client)
        shares.spend(client, 100, failed=True)
        assert refused(shares, client)
    assert file.stat().st_size == size
