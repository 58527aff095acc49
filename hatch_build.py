"""Carries the graph in the wheel: `ontology/ data/ shapes/` become `publisher/_graph/...`.

A hook and not a `force-include` table, because an editable installation must read the checkout,
not a copy that ages.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CarryGraph(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for folder in ("ontology", "data", "shapes"):
            if (Path(self.root) / folder).is_dir():
                build_data["force_include"][folder] = f"publisher/_graph/{folder}"
