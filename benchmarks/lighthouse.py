"""What Lighthouse says of every screen, as a table; ends with 1 where a score is under the goal.

    python benchmarks/lighthouse.py > benchmarks/LIGHTHOUSE.md   # all screens, phone and desk
    python benchmarks/lighthouse.py --desktop home map           # these, at a desk alone

Needs npx (Node 18.16 or newer) and a Chromium; fetches Lighthouse itself from npm. Serves the
current release on a port of its own. Screens that answer with an error are left out, for Lighthouse
looks at none; where `robots.txt` keeps crawlers away on purpose, that is not held against a screen.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from publisher.cli.main import main as command  # noqa: E402
from tests.browser.conftest import executable  # noqa: E402
from tests.browser.test_screens import SCREENS  # noqa: E402
from tests.conftest import start  # noqa: E402

PACKAGE = "lighthouse@12.8.2"
GOAL = 0.95
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
ERRORS = ("wrong", "missing")
GOOD = 0.9  # what Lighthouse itself calls good, of an audit
SECONDS = 180
ABOUT = (
    "Scores of 100, of one run each; the goal is 95 in each category. Lighthouse emulates a slow"
    " phone on a slow line, and a desk. The last column has the audits under 90 that cost most."
)


@dataclass(frozen=True)
class Looked:
    """The scores of one screen, and the audits that cost it most."""

    scores: Mapping[str, float]
    faults: tuple[str, ...]


def look(url: str, *, desktop: bool, chrome: str) -> Looked:
    """One screen, in a fresh browser."""
    kept_away = "?" in url
    options = ["--output=json", "--quiet", "--chrome-flags=--headless --no-sandbox --disable-gpu"]
    options += ["--preset=desktop"] if desktop else []
    options += ["--skip-audits=is-crawlable"] if kept_away else []
    options.append(f"--only-categories={','.join(CATEGORIES)}")
    done = subprocess.run(  # noqa: S603 - our own addresses
        ["npx", "--yes", PACKAGE, url, *options],  # noqa: S607 - the npx of whoever calls
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=os.environ | {"CHROME_PATH": chrome},
        check=True,
    )
    content = json.loads(done.stdout)
    if content.get("runtimeError"):
        raise SystemExit(f"{url}: {content['runtimeError']['message']}")
    audits = content["audits"]
    faults = [
        (reference["weight"] * (1 - score), reference["id"])
        for name in CATEGORIES
        for reference in content["categories"][name]["auditRefs"]
        if (score := audits[reference["id"]]["score"]) is not None and score < GOOD
    ]
    scores = {name: float(content["categories"][name]["score"] or 0) for name in CATEGORIES}
    return Looked(scores, tuple(name for cost, name in sorted(faults, reverse=True) if cost)[:4])


def main() -> int:
    """Serve, look at each screen, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("screens", nargs="*", help="only these")
    parser.add_argument("--phone", action="store_true", help="no desk")
    parser.add_argument("--desktop", action="store_true", help="no phone")
    wish = parser.parse_args()
    chrome = executable()
    if shutil.which("npx") is None or chrome is None:
        print(
            "Lighthouse needs npx (Node.js) and a Chromium: on Debian, apt-get install npm chromium"
        )
        return 2
    with contextlib.redirect_stdout(sys.stderr):
        command(["build"])
    log = Path(tempfile.mkdtemp()) / "log"
    running = start(ROOT / "releases" / "current", log, workers=2, processes=1)
    devices = {"phone": False, "desk": True}
    if wish.phone != wish.desktop:
        devices.pop("desk" if wish.phone else "phone")
    poor = 0
    try:
        print(f"# What {PACKAGE} says of the screens\n\n{ABOUT}\n")
        columns = [f"{device}: {each}" for device in devices for each in CATEGORIES]
        print(
            f"| screen | {' | '.join(columns)} | what cost it |\n|---|{'--:|' * len(columns)}---|"
        )
        for name, path in SCREENS.items():
            if name in ERRORS or (wish.screens and name not in wish.screens):
                continue
            found = [look(running.url + path, desktop=x, chrome=chrome) for x in devices.values()]
            scores = [seen.scores[each] for seen in found for each in CATEGORIES]
            poor += min(scores) < GOAL
            faults = ", ".join(dict.fromkeys(fault for seen in found for fault in seen.faults))
            told = " | ".join(f"{100 * score:.0f}" for score in scores)
            print(f"| [{name}]({path}) | {told} | {faults} |", flush=True)
    finally:
        running.stop()
    return 1 if poor else 0


if __name__ == "__main__":
    sys.exit(main())
