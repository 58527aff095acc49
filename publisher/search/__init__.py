"""Names → IRIs and IRIs → names, from one SQLite file that the build writes.

`words` folds text and measures how far two words are apart; `build` writes the file, `index` reads
it, `rows` is how rows of queries are kept in it.
What counts as a name is told by the graph's own settings ([labels], [search] and [matrix]).
"""

from publisher.search.build import FILE, build
from publisher.search.index import Found, Hit, Index, Known

__all__ = ["FILE", "Found", "Hit", "Index", "Known", "build"]
