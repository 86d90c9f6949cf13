#!/usr/bin/env python3
"""Show the largest files and functions: advice on where to split, never a failure."""

import ast
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("matching", "exchange", "api", "wellhead")
SHOWN = 10
FILE_LINES_MIN = 40


def function_sizes(path: Path) -> list[tuple[int, str]]:
    """Return the lines of each function of a file, with its place."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [
        (
            (node.end_lineno or node.lineno) - node.lineno + 1,
            f"{path.relative_to(ROOT)} {node.name}",
        )
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def main() -> None:
    """Print the tables."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    sizes = {path: len(path.read_text().splitlines()) for path in files}
    functions = sorted(size for path in files for size in function_sizes(path))
    print(f"{len(files)} files, {sum(sizes.values())} lines, {len(functions)} functions")
    print(f"median function: {median([size for size, _ in functions] or [0])} lines")
    for path, size in sorted(sizes.items(), key=lambda item: -item[1])[:SHOWN]:
        print(f"{size:5} {path.relative_to(ROOT)}")
    for size, name in functions[: -SHOWN - 1 : -1]:
        print(f"{size:5} {name}")
    small = [p for p, size in sizes.items() if size < FILE_LINES_MIN and p.name != "__init__.py"]
    print(f"{len(small)} files under {FILE_LINES_MIN} lines: a friend for each may be near")


if __name__ == "__main__":
    main()
