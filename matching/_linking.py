"""Optimize once: an inner kernel becomes machine code only inside the kernels that Python calls.

numba makes every function ready to run by itself: it links in all that the function calls,
optimizes the whole and generates code, and does the same again for each caller. With four hundred
kernels that nobody calls but kernels, the same code was optimized ten times on its way up, and a
first start took three times as long. So an inner kernel is left as it was lowered, and the door
above it links everything below in one step.

There the compiler sees whole paths, and is told which calls are rare: a kernel that is not inlined
is marked `cold` (LLVM Language Reference, "Function Attributes"), so that what an order goes
through lies together and keeps its values in registers around calls that it does not make.

This reaches into numba's code library (`finalize`, `set_env`) and its target
(`declare_function`), whose version the lock pins; where they are named otherwise, the first import
says so. Nothing but time depends on it.
"""

from typing import Any, Final

from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.cpu import CPUContext

INNER: Final[set[str]] = set()  # qualified names of inner kernels
PYTHON_WRAPPER: Final = "_ZN7cpython"  # how the name of a function for Python begins


def is_inner(library: Any) -> bool:
    """Return whether a code library is a kernel that Python cannot call."""
    if library.name not in INNER:
        return False
    return not any(f.name.startswith(PYTHON_WRAPPER) for f in library._final_module.functions)


def all_below(library: Any) -> list[Any]:
    """Return what a library calls, and what the inner kernels among that call, each once.

    A callee comes behind all its callers: the linker drops a function that nothing linked so far
    refers to, and would not find it again for a caller that comes later.
    """
    last_first: list[Any] = []
    seen: set[int] = set()

    def visit(caller: Any) -> None:
        for called in caller._linking_libraries:
            if id(called) not in seen:
                seen.add(id(called))
                if is_inner(called):
                    visit(called)
                last_first.append(called)

    visit(library)
    return last_first[::-1]


def install() -> None:
    """Have inner kernels finished by their callers, and called ones marked. Call it once."""
    finish, bind = JITCodeLibrary.finalize, JITCPUCodegen.set_env
    declare = CPUContext.declare_function
    waiting: dict[str, Any] = {}  # environments of functions that have no code yet

    def finalize(library: Any) -> None:
        if is_inner(library):
            library._raise_if_finalized()
            library._finalized = True
            return
        library._linking_libraries = all_below(library)
        finish(library)

    def set_env(codegen: Any, name: str, environment: Any) -> None:
        waiting[name] = environment
        if codegen._engine.is_symbol_defined(name):  # a door: what is below has its code too
            for known in [one for one in waiting if codegen._engine.is_symbol_defined(one)]:
                bind(codegen, known, waiting.pop(known))

    def declare_function(context: Any, module: Any, descriptor: Any) -> Any:
        function = declare(context, module, descriptor)
        if descriptor.qualname in INNER and not descriptor.inline:
            function.attributes.add("cold")
        return function

    CPUContext.declare_function = declare_function  # type: ignore[method-assign]
    JITCodeLibrary.finalize = finalize  # type: ignore[method-assign]
    JITCPUCodegen.set_env = set_env  # type: ignore[method-assign]
