"""Kernels cannot allocate, and compiled code is never taken for that of another source."""

import os
import shutil
from pathlib import Path

import numba
import numpy as np
import pytest
from numba import config
from numba.core.errors import NumbaError

from matching import _jit, _linking


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the core's sources that the cache key is taken of."""
    for path in Path(_jit.__file__).parent.glob("*.py"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(_jit, "__file__", str(tmp_path / "_jit.py"))
    return tmp_path


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_a_kernel_that_allocates_does_not_compile():
    assert _jit.FLAGS["_nrt"] is False

    def allocating(count):
        return np.zeros(count, np.int64)[0]

    assert numba.njit(**(_jit.FLAGS | {"cache": False, "_nrt": True}))(allocating)(3) == 0
    with pytest.raises((NumbaError, RuntimeError)):
        numba.njit(**(_jit.FLAGS | {"cache": False}))(allocating)(3)


def test_the_same_sources_give_the_same_cache_folder(copied: Path):
    assert _jit.cache_key() == _jit.cache_key()
    assert _jit.cache_folder().name == _jit.cache_key()


@pytest.mark.parametrize(
    ("name", "moves"),
    [("book.py", True), ("limits.py", True), ("checks.py", False), ("engine.py", False)],
)
def test_only_a_change_near_kernels_changes_the_cache_key(copied: Path, name: str, moves: bool):
    before = _jit.cache_key()
    with (copied / name).open("a") as file:
        file.write("# changed\n")
    assert (_jit.cache_key() != before) is moves


def test_a_change_of_flags_changes_the_cache_key(monkeypatch: pytest.MonkeyPatch):
    before = _jit.cache_key()
    monkeypatch.setitem(_jit.FLAGS, "error_model", "python")
    assert _jit.cache_key() != before


def test_versions_that_were_not_used_for_long_are_dropped_and_nothing_else(tmp_path: Path):
    keys = [f"{number:024x}" for number in range(6)]
    for age, key in enumerate(keys):
        (tmp_path / key).mkdir()
        (tmp_path / key / "kernel.nbi").write_bytes(b"1")
        os.utime(tmp_path / key, (1_000_000 - age, 1_000_000 - age))
    (tmp_path / "mine").mkdir()
    os.utime(tmp_path / "mine", (1, 1))
    oldest = tmp_path / keys[5]
    _jit.forget_others(oldest, kept=3)  # it is in use now
    assert {path.name for path in tmp_path.iterdir()} == {keys[0], keys[1], keys[5], "mine"}
    _jit.forget_others(tmp_path / "gone" / keys[1], kept=0)  # tidied up by somebody else: no matter
    _jit.forget_others(oldest, kept=0)
    assert {path.name for path in tmp_path.iterdir()} == {keys[5], "mine"}


@pytest.mark.parametrize("bit", [0, 1, 31, 32, 62])
def test_trailing_zeros_of_a_word_is_its_lowest_bit(bit: int):
    assert _jit.trailing_zeros_plain((1 << bit) | (1 << 62)) == bit
    assert _jit.trailing_zeros_plain(-(1 << 63)) == 63


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")
def test_an_inner_kernel_has_machine_code_in_its_callers_only():
    """Otherwise each is optimized again at every level above it, and a start takes minutes."""

    @_jit.cold_kernel
    def inner_of_this_test(number):
        return number + 1

    @_jit.cold_kernel
    def between_of_this_test(number):
        return inner_of_this_test(number) + inner_of_this_test(2 * number)

    @numba.njit(**(_jit.FLAGS | {"cache": False}))
    def door(number):
        return between_of_this_test(number)

    assert door(5) == 17
    for kernel, finished in ((inner_of_this_test, False), (door, True)):
        (compiled,) = kernel.overloads.values()
        engine = compiled.library.codegen._engine
        named = [f.name for f in compiled.library.get_defined_functions()]
        mine = [name for name in named if kernel.py_func.__name__ in name]
        assert mine
        assert all(engine.is_symbol_defined(name) for name in mine) is finished


class Library:
    """What the order of linking looks at of a code library."""

    class _final_module:
        functions = ()

    def __init__(self, name: str, *calls: "Library"):
        self.name, self._linking_libraries = name, calls


def test_a_callee_is_linked_behind_all_its_callers(monkeypatch: pytest.MonkeyPatch):
    """A caller that lost its only call drops the callee, unless another caller is there before."""
    monkeypatch.setattr(_linking, "INNER", {"early", "late", "called"})
    called = Library("called")
    door = Library("door", Library("early", called), Library("late", called))
    assert [one.name for one in _linking.all_below(door)] == ["late", "early", "called"]
