"""What every tidy test reads: the files of the house, parsed once.

A rule takes one `Source` and yields `(line, what is wrong)`. `found` runs it over many and gives
one readable string a violation, so that a failing test shows where to go.
"""

import ast
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("matching", "exchange", "api", "wellhead")
TEXT_MAX_BYTES = 1 << 20
SKIPPED_WALKING = {".git", ".venv", "node_modules", "__pycache__"}


@dataclass(frozen=True)
class Source:
    """One text file: its path from the root, with forward slashes, and what it says."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Return the parsed module."""
        return ast.parse(self.text, self.path)

    @property
    def lines(self) -> list[str]:
        """Return the lines, without their ends."""
        return self.text.splitlines()


Rule = Callable[[Source], Iterator[tuple[int, str]]]


def planted(text: str, path: str = "matching/planted.py") -> Source:
    """Return a file that is not on disk: a violation for a rule to find."""
    return Source(path, text)


def found(rule: Rule, sources: Iterable[Source]) -> list[str]:
    """Return every violation of the rule, as `path:line: what`."""
    return [f"{s.path}:{line}: {what}" for s in sources for line, what in rule(s)]


@lru_cache
def paths() -> tuple[str, ...]:
    """Return the files that are, or could be, committed: what git ignores is left out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=30)
        names = listed.stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no git
        names = [p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*")]
    names = [n for n in names if n and not SKIPPED_WALKING & set(n.split("/"))]
    return tuple(sorted(n for n in set(names) if (ROOT / n).is_file()))


@lru_cache
def texts() -> tuple[Source, ...]:
    """Return every text file of a reasonable size."""
    sources = []
    for name in paths():
        data = (ROOT / name).read_bytes()
        if b"\0" not in data[:4096] and len(data) <= TEXT_MAX_BYTES:
            sources.append(Source(name, data.decode("utf-8", "replace")))
    return tuple(sources)


def python(*folders: str) -> list[Source]:
    """Return the Python files under these folders; a folder not there yet has none."""
    starts = tuple(f"{folder}/" for folder in folders)
    return [s for s in texts() if s.path.endswith(".py") and s.path.startswith(starts)]


def product() -> list[Source]:
    """Return the Python files that ship."""
    return python(*PRODUCT)


def functions(source: Source) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return every function of a file, methods and inner ones too."""
    return [
        n for n in ast.walk(source.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def docstring_nodes(tree: ast.AST) -> set[int]:
    """Return the ids of the string nodes that are docstrings."""
    holders = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [n for n in ast.walk(tree) if isinstance(n, holders) and ast.get_docstring(n)]
    return {id(n.body[0].value) for n in nodes}
