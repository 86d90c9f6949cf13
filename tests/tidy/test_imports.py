"""Who may import whom: the contracts of pyproject.toml, and a planted breach of each."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.house import PRODUCT, ROOT, Source, found, planted, product, python

DOOR_NAMES = ("wire", "wire_life", "codes", "reasons", "states", "limits")
DOORS = {f"matching/{name}.py" for name in DOOR_NAMES}
CORE_DOORS = {path[:-3].replace("/", ".") for path in DOORS}
DOOR_IMPORTS = {"numpy", "enum", "typing", "collections.abc"} | CORE_DOORS
LAZY_HOME = "wellhead/cli/"

# id of a contract -> (file to add a line to, the line). Each line breaks that contract.
BREACHES = {
    "floors": ("exchange/rules/planted.py", "import exchange.io.planted"),
    "api-services": ("exchange/services/loop.py", "import api.planted"),
    "services-apart": ("exchange/services/one.py", "import exchange.services.two"),
    "core-door": ("exchange/io/planted.py", "from matching import state"),
    "core-engine": ("exchange/services/loop.py", "import matching.state"),
    "numba-hidden": ("api/planted.py", "import numba"),
    "numba-direct": ("exchange/services/loop.py", "from numba import types"),
    "rules-pure": ("exchange/rules/planted.py", "def f():\n    import asyncio"),
    "core-pure": ("matching/state.py", "from time import monotonic_ns"),
    "client-alone": ("wellhead/client.py", "from exchange.rules import planted"),
}
# What the house may do: none of these lines breaks a contract.
LAWFUL = {
    "exchange/services/node.py": "import api.planted\nimport exchange.services.one",
    "exchange/services/one.py": "import matching.engine",
    "exchange/services/two.py": "import exchange.io.planted\nimport matching.codes",
    "exchange/io/planted.py": "import asyncio\nimport exchange.rules.planted",
    "exchange/rules/planted.py": "import datetime\nfrom matching import wire",
    "matching/engine.py": "import numba\nimport matching.state",
    "matching/state.py": "import matching.limits",
    "wellhead/cli/__init__.py": "def serve():\n    import exchange.services.node",
}


def contracts() -> dict[str, str]:
    """Return the name of each contract by its id."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {c["id"]: c["name"] for c in settings["tool"]["importlinter"]["contracts"]}


def lint(folder: Path) -> str:
    """Run the import linter on the packages in a folder, with the contracts of the house."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    options = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    command = [sys.executable, "-c", program, *options]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert "Contracts:" in result.stdout, result.stdout + result.stderr
    return result.stdout


def write(folder: Path, path: str, line: str) -> None:
    """Add a line to a file of a planted house, and make its packages."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        out.write(line + "\n")
    for parent in file.relative_to(folder).parents:
        if parent.parts:
            (folder / parent / "__init__.py").touch()


def plant(folder: Path, breaches: dict[str, tuple[str, str]]) -> Path:
    """Make a house of empty modules with its lawful imports, then the breaches."""
    for name in ("exchange/rules/planted", "exchange/services/loop", "api/planted"):
        write(folder, f"{name}.py", "")
    for name in ("wire", "codes", "limits"):
        write(folder, f"matching/{name}.py", "")
    for path, line in [*LAWFUL.items(), *breaches.values()]:
        write(folder, path, line)
    return folder


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> str:
    """Lint one house with every breach planted."""
    return lint(plant(tmp_path_factory.mktemp("house"), BREACHES))


def eager_exchange(source: Source) -> Iterator[tuple[int, str]]:
    """Find an import of the exchange that a mere `import wellhead.cli` would run."""
    inner = {
        id(node)
        for function in ast.walk(source.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(source.tree):
        if id(node) in inner:
            continue
        for name in imported(node):
            if name.split(".")[0] in {"exchange", "api", "matching"}:
                yield node.lineno, f"{name}: import it inside the command"


def imported(node: ast.AST) -> list[str]:
    """Return the modules that a statement names."""
    match node:
        case ast.Import(names=aliases):
            return [alias.name for alias in aliases]
        case ast.ImportFrom(module="matching", names=aliases):
            return [f"matching.{alias.name}" for alias in aliases]
        case ast.ImportFrom(module=module):
            return [module or "."]
    return []


def heavy_door(source: Source) -> Iterator[tuple[int, str]]:
    """Find what wire, codes and limits would drag into everyone who reads them."""
    for node in ast.walk(source.tree):
        for name in imported(node):
            if name not in DOOR_IMPORTS:
                yield node.lineno, f"{name}: a door imports numpy and enum only"


def test_every_contract_is_kept():
    assert lint(ROOT).splitlines()[-1].endswith(" 0 broken."), lint(ROOT)


def test_every_contract_has_a_planted_breach():
    assert set(BREACHES) == set(contracts())


@pytest.mark.parametrize("contract", BREACHES)
def test_a_planted_breach_is_found(contract, broken):
    assert f"{contracts()[contract]} BROKEN" in broken


def test_a_lawful_house_breaks_nothing(tmp_path):
    assert " 0 broken." in lint(plant(tmp_path, {}))


def test_the_doors_of_the_core_are_light():
    assert found(heavy_door, [s for s in python("matching") if s.path in DOORS]) == []


def test_commands_load_the_exchange_lazily():
    assert found(eager_exchange, [s for s in product() if s.path.startswith(LAZY_HOME)]) == []


@pytest.mark.parametrize("line", ["import numba", "import os", "from matching import state"])
def test_a_planted_heavy_door_is_found(line):
    assert found(heavy_door, [planted(line)])


def test_a_planted_eager_command_is_found():
    line = "from exchange.services import node"
    assert found(eager_exchange, [planted(line)])
    assert found(eager_exchange, [planted(f"if True:\n    {line}")])
    assert found(eager_exchange, [planted(f"def serve():\n    {line}")]) == []


def test_reading_the_wire_does_not_load_numba():
    code = (
        "import sys, matching.wire, matching.codes, matching.limits; print('numba' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.stdout.strip() == "False", result.stderr


def test_the_packages_that_ship_are_the_packages_that_are_checked():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert settings["tool"]["importlinter"]["root_packages"] == list(PRODUCT)
