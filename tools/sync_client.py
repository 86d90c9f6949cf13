"""Make the client without asyncio from the one with it: `python -m tools.sync_client`.

The two differ in waiting only, so one of them is written by hand and the other is not.
`--check` changes nothing and fails when a file is not up to date.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE = {
    "http_async.py": "http_sync.py",
    "async_protecting.py": "protecting.py",
    "async_dealing.py": "dealing.py",
    "async_holding.py": "holding.py",
    "async_settling.py": "settling.py",
    "async_delivering.py": "delivering.py",
    "async_hooking.py": "hooking.py",
    "async_client.py": "client.py",
}
HEADER = "# Made by tools/sync_client.py from {source}: change that file.\n"
CHANGES = (
    (r"`client.py`, the one without, is made from this file", "made from `async_client.py`"),
    (
        r"`(protect|deal|hold|settl|deliver|hook)ing.py`, the one without, is made from this file",
        "made from this file's twin",
    ),
    (r"wellhead\.async_(protect|deal|hold|settl|deliver|hook)ing", r"wellhead.\1ing"),
    (r"Async(Protect|Deal|Hold|Settl|Deliver|Hook)ing", r"\1ing"),
    (r"`http_sync.py` is made from this file", "made from `http_async.py`"),
    (r"The client for asyncio;", "The client without asyncio;"),
    (r"`async with`", "`with`"),
    (r"async (def|with|for) ", r"\1 "),
    (r"await ", ""),
    (r"Awaitable\[(wt\.Page\[T\])\]", r"\1"),
    (r"import AsyncIterator, Awaitable, Callable", "import Callable, Iterator"),
    (r"Callable, Iterator, Iterable", "Callable, Iterable, Iterator"),
    (r"AsyncIterator", "Iterator"),
    (r"AsyncTradingStream", "TradingStream"),
    (r"wellhead\.trading", "wellhead.sync_stream"),
    (r"wellhead\.http_async", "wellhead.http_sync"),
    (r"AsyncHttp", "Http"),
    (r"AsyncClient", "Client"),
    (r"aclose", "close"),
    (r"__a(enter|exit)__", r"__\1__"),
    (r"for item in page:\n\s+yield item", "yield from page"),
    (r"import asyncio", "import time"),
    (r"asyncio\.sleep", "time.sleep"),
)


def without_asyncio(text: str, source: str) -> str:
    """Return the same module with plain functions."""
    for pattern, instead in CHANGES:
        text = re.sub(pattern, instead, text)
    text = HEADER.format(source=source) + text
    for step in (["check", "--select", "I", "--fix", "--quiet"], ["format", "--quiet"]):
        command = [sys.executable, "-m", "ruff", *step, "-"]
        text = subprocess.run(
            command, input=text, capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
    return text


def main(arguments: list[str]) -> int:
    """Write the made files, or say which of them are stale."""
    stale = []
    for source, made in MADE.items():
        path = ROOT / "wellhead" / made
        text = without_asyncio((ROOT / "wellhead" / source).read_text(), source)
        if not path.exists() or path.read_text() != text:
            stale.append(made)
            if "--check" not in arguments:
                path.write_text(text)
    print(f"stale: {', '.join(stale)}" if stale else "up to date")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
