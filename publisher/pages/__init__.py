"""Values → HTML (Jinja templates) and SVG, and static files. Asks nothing itself."""

from publisher.pages.assets import ASSETS, MARK, Asset
from publisher.pages.render import Shell, render

__all__ = ["ASSETS", "MARK", "Asset", "Shell", "render"]
