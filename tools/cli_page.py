"""Write the reference part of `docs/cli.md` from the commands themselves.

    python -m tools.cli_page [--check]

What stands above the marker is written by hand and kept.
"""

import re
import sys
from pathlib import Path

from wellhead.cli.app import build

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
MARKER = "<!-- below: made by tools/cli_page.py -->"
EVERYWHERE = re.compile(r"\*\*Everywhere\*\*:\n\n(\* .*\n)+\n?")
CONTENTS = re.compile(r"## Table of Contents\n\n(\s*- .*\n)+\n?")


def reference() -> str:
    """Return the reference of every command."""
    sys.argv, ours = ["wellhead"], sys.argv  # usage lines begin with the program's name
    try:
        text = build().generate_docs(output_format="markdown", recursive=True, heading_level=1)
    finally:
        sys.argv = ours
    text = CONTENTS.sub("", text + "\n")
    text = EVERYWHERE.sub("", text)
    text = re.sub(r"`(--[a-z-]+), --no-[a-z-]+", r"`\1", text)
    text = text[text.index("\n\n", text.index("**Measure and check**")) :]  # its list is above
    text = text[text.index("\n## ") :]
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def page(current: str) -> str:
    """Return the page with its reference made anew."""
    head, marker, _ = current.partition(MARKER)
    assert marker, f"{PAGE.name} has lost its marker"
    return f"{head}{MARKER}\n\n{reference()}"


def main(arguments: list[str]) -> int:
    """Write the page, or say whether it is stale."""
    current = PAGE.read_text()
    text = page(current)
    if "--check" in arguments:
        print(
            "up to date" if text == current else f"stale: run python -m tools.{Path(__file__).stem}"
        )
        return int(text != current)
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
