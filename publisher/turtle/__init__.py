"""Turtle: reading with line numbers, and the canonical form.

`read` gives every triple with the line on which its object stands. `format_text` writes the one
form in which a graph's files are kept: every fact is one whole line, so a diff is one line per
changed fact and two branches that add facts do not collide.
"""

from publisher.turtle.canonical import Terms, format_text
from publisher.turtle.reader import Block, Located, parse, read

__all__ = ["Block", "Located", "Terms", "format_text", "parse", "read"]
