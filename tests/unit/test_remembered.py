"""The cache of replies keeps within its bytes, whatever the requests look like."""

from publisher.protocol import Reply
from publisher.server.remembered import OVERHEAD, SHARE, Remembered

MOST = 1_000_000


def reply(size: int) -> Reply:
    """A reply that may be kept."""
    return Reply(200, (("etag", '"x"'), ("cache-control", "public")), b"x" * size)


def held(kept: Remembered) -> int:
    """The bytes of all keys and bodies."""
    return sum(len(entry.body) + len(str(key)) for key, entry in kept.entries.items())


def test_long_addresses_do_not_fill_the_memory() -> None:
    """An address, or an Accept header, counts as the body does."""
    kept = Remembered(MOST)
    for number in range(1000):
        kept.keep((f"/x?{number}" + "a" * 20_000, "text/turtle," + "b" * 20_000, None), reply(100))
    assert 0 < held(kept) <= MOST
    assert kept.size <= MOST
    for key in list(kept.entries):
        kept.keep(key, reply(200))  # the same again, larger
    assert kept.size == sum(entry.size for entry in kept.entries.values())


def test_what_is_large_does_not_drive_out_the_small() -> None:
    """Neither by its body nor by its address."""
    kept = Remembered(MOST)
    kept.keep("small", reply(10))
    kept.keep("large", reply(MOST // SHARE - OVERHEAD + 1))
    kept.keep("long" * MOST, reply(10))
    assert list(kept.entries) == ["small"]
