"""How kernels are compiled, and where the compiled code is kept.

Two decorators, and a third for the few kernels that Python calls:

* `kernel`: inlined into its caller. The path of an order: place, cancel, match, rest.
* `cold_kernel`: a real call, a few ns, and the compiler takes it for a rare one. Everything else,
  so that code stays small and the path of an order keeps the registers.
* `entry_kernel`: a cold kernel with a wrapper that Python can call.

`_nrt=False` turns reference counting off: it made small kernels over records 10 to 20 times
faster, and a kernel that tries to allocate does not compile. numba's disk cache sees neither a
change in another file nor a change of flags, so the cache folder is named after a hash of all
kernel sources, the flags and the versions. Nothing else in the house knows numba's options.
"""

import contextlib
import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import llvmlite
import numba
import numpy as np
from numba import config, njit
from numba.extending import intrinsic

from matching import _linking

Function = TypeVar("Function", bound=Callable[..., Any])

FLAGS: Final[dict[str, Any]] = {
    "_nrt": False,
    "boundscheck": False,  # NUMBA_BOUNDSCHECK=1 goes before it
    "cache": True,
    "error_model": "numpy",
    "nogil": True,
}
INNER_FLAGS: Final[dict[str, Any]] = {
    "no_cfunc_wrapper": True,
    "no_cpython_wrapper": True,
    "cache": False,
}

KEPT_VERSIONS: Final = 8  # of the kernels: one takes some 180 MB, times the folders it runs from
VERSION: Final = re.compile("[0-9a-f]{24}")  # a cache key

# Files of the package without a kernel: a change in them recompiles nothing.
NOT_KERNELS: Final = frozenset(
    {
        "__init__.py",
        "check_stops.py",
        "checks.py",
        "checks_books.py",
        "checks_calls.py",
        "checks_implied.py",
        "checks_legs.py",
        "engine.py",
        "resident.py",
        "saved.py",
    }
)


def cache_key() -> str:
    """Return a name for everything that compiled code depends on."""
    digest = hashlib.blake2b(digest_size=12)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name not in NOT_KERNELS:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    versions = (sys.version, np.__version__, numba.__version__, llvmlite.__version__)
    digest.update(repr((versions, platform.machine(), FLAGS, config.BOUNDSCHECK)).encode())
    return digest.hexdigest()


def cache_roots() -> list[Path]:
    """Return where the cache may be, the best place first."""
    named = os.environ.get("WELLHEAD_CACHE_DIR")
    if named:
        return [Path(named)]
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [
        user / "wellhead",
        Path(sys.prefix) / ".cache",
        Path(tempfile.gettempdir()) / "wellhead",
    ]


def writable(folder: Path) -> bool:
    """Return whether a file can be made in this folder, making the folder if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def forget_others(folder: Path, kept: int = KEPT_VERSIONS) -> None:
    """Drop what was compiled of other versions, but for those that were used last."""
    with contextlib.suppress(OSError):  # another process tidies up as well
        os.utime(folder)
        versions = [path for path in folder.parent.iterdir() if VERSION.fullmatch(path.name)]
        versions.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old in versions[kept:]:
            if old != folder:
                shutil.rmtree(old, ignore_errors=True)


def cache_folder() -> Path:
    """Return the folder of this very code, the one used last.

    Errors:
        PermissionError: none of the places can be written.
    """
    roots = cache_roots()
    for root in roots:
        folder = root / "kernels" / cache_key()
        if writable(folder):
            forget_others(folder)
            return folder
    tried = ", ".join(map(str, roots))
    raise PermissionError(
        f"no folder for compiled kernels can be written: {tried}; WELLHEAD_CACHE_DIR names another"
    )


if not config.DISABLE_JIT:
    config.CACHE_DIR = str(cache_folder())
    _linking.install()

COUNT: Final = {"kernels": 0}  # how many there are to compile: a progress bar's whole


def kernel(function: Function) -> Function:
    """Compile a function that is inlined into its caller."""
    return inner(function, forceinline=True)


def cold_kernel(function: Function) -> Function:
    """Compile a function that is called."""
    return inner(function, forceinline=False)


def inner(function: Function, *, forceinline: bool) -> Function:
    """Compile a function that only kernels call."""
    COUNT["kernels"] += 1
    _linking.INNER.add(function.__qualname__)
    flags = FLAGS | INNER_FLAGS
    return njit(forceinline=forceinline, **flags)(function)  # type: ignore[no-any-return]


def entry_kernel(function: Function) -> Function:
    """Compile a function that Python calls."""
    COUNT["kernels"] += 1
    return njit(**FLAGS)(function)  # type: ignore[no-any-return]


def trailing_zeros_plain(word: int) -> int:
    """Return the index of the lowest bit set in a word that is not zero."""
    bits = int(word)
    return (bits & -bits).bit_length() - 1


if config.DISABLE_JIT:
    trailing_zeros = trailing_zeros_plain
else:
    from llvmlite import ir
    from numba import types

    @intrinsic
    def trailing_zeros(typing_context, word):
        """Return the index of the lowest bit set in a word that is not zero."""

        def generate(context, builder, signature, arguments):
            word_type, flag_type = ir.IntType(64), ir.IntType(1)
            signature_type = ir.FunctionType(word_type, [word_type, flag_type])
            count = builder.module.declare_intrinsic("llvm.cttz", [word_type], signature_type)
            return builder.call(count, [arguments[0], ir.Constant(flag_type, 1)])

        return types.int64(types.int64), generate
