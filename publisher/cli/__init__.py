"""The commands: `neuromodkg format | check | build | serve | query | diff | mint | mcp`.

Exit codes: 0 fine, 1 findings (or something that could not be done), 2 wrong use.
"""

from publisher.cli.main import main

__all__ = ["main"]
