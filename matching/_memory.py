"""How kernels see the state: one pointer, instead of a tuple of arrays.

numba passes an array as seven words, and a tuple of arrays as all of them, at every call: with
eighteen arrays a call costs more than the work, and the registers are full before it starts. So
the addresses of a named tuple's arrays stand in a table, and a kernel gets the table's address.
`s.orders[i]` reads the same: the address is loaded (and marked as never changing, so that the
compiler may keep it), and the element is where plain arithmetic says. Indices are never negative,
and are checked against the length when NUMBA_BOUNDSCHECK=1.

Without the JIT, kernels get the tuple itself.
"""

import operator
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, from_dtype, types
from numba.core import cgutils
from numba.core.datamodel import models, register_default
from numba.core.typing.templates import (
    AbstractTemplate,
    AttributeTemplate,
    infer_getattr,
    infer_global,
    signature,
)
from numba.extending import intrinsic, lower_builtin, lower_getattr_generic

WORD: Final = ir.IntType(64)
BYTES: Final = ir.IntType(8).as_pointer()


class Pool(types.Type):  # type: ignore[misc]
    """One array of a table: records, or plain integers."""

    def __init__(self, place: int, item: types.Type) -> None:
        """Name the pair of the table (address, length) and what the array holds."""
        self.place, self.item = place, item
        super().__init__(f"Pool({place}, {item})")


class Table(types.Type):  # type: ignore[misc]
    """The address of a table, with the names of its arrays."""

    def __init__(self, name: str, fields: tuple[tuple[str, np.dtype[Any]], ...]) -> None:
        """Name the arrays, in the order of the table."""
        self.pools = {
            field: Pool(place, item_type(dtype)) for place, (field, dtype) in enumerate(fields)
        }
        super().__init__(f"Table({name}, {fields})")


@register_default(Pool)
@register_default(Table)
class AddressModel(models.PrimitiveModel):  # type: ignore[misc]
    """Both are passed as one pointer."""

    def __init__(self, manager: Any, of_type: types.Type) -> None:
        """Say how the value is kept."""
        super().__init__(manager, of_type, BYTES)


def item_type(dtype: np.dtype[Any]) -> types.Type:
    """Return the type of an array's elements; records are aligned, as their fields are."""
    if dtype.names is None:
        return from_dtype(dtype)
    aligned = np.dtype(dtype.descr, align=True)
    assert aligned.itemsize == dtype.itemsize, f"{dtype} has fields that are not aligned"
    return from_dtype(aligned)


@infer_getattr
class TableAttribute(AttributeTemplate):  # type: ignore[misc]
    """`s.orders` is a pool."""

    key = Table

    def generic_resolve(self, table: Table, attribute: str) -> Pool | None:
        """Return the pool of that name."""
        return table.pools.get(attribute)


@lower_getattr_generic(Table)  # type: ignore[untyped-decorator]
def lower_attribute(context, builder, table, address, attribute):
    """Pass the table on: which pair to read is in the type of the pool."""
    return address


@infer_global(operator.getitem)
class PoolItem(AbstractTemplate):  # type: ignore[misc]
    """`s.orders[i]` is a record, by reference; `s.words[i]` is an integer."""

    def generic(self, arguments, keywords):
        """Type the expression."""
        pool, *index = arguments
        if isinstance(pool, Pool) and isinstance(index[0], types.Integer):
            return signature(pool.item, pool, index[0])
        return None


@infer_global(operator.setitem)
class PoolItemSet(AbstractTemplate):  # type: ignore[misc]
    """`s.words[i] = bits` writes an integer."""

    def generic(self, arguments, keywords):
        """Type the statement."""
        pool, *rest = arguments
        if isinstance(pool, Pool) and isinstance(pool.item, types.Integer):
            return signature(types.none, pool, rest[0], pool.item)
        return None


def load_word(builder, table_address, place):
    """Load a word of the table, which never changes while a kernel runs."""
    words = builder.bitcast(table_address, WORD.as_pointer())
    word = builder.load(builder.gep(words, [WORD(place)]))
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def element(context, builder, pool, table_address, index_type, index):
    """Return a pointer to an element of a pool."""
    place = context.cast(builder, index, index_type, types.int64)
    if context.enable_boundscheck:
        cgutils.do_boundscheck(
            context, builder, place, load_word(builder, table_address, 2 * pool.place + 1)
        )
    item = context.get_data_type(pool.item).as_pointer()
    address = load_word(builder, table_address, 2 * pool.place)
    return builder.gep(builder.inttoptr(address, item), [place])


@lower_builtin(operator.getitem, Pool, types.Integer)  # type: ignore[untyped-decorator]
def lower_getitem(context, builder, sig, args):
    """Return a record's pointer, or an integer's value."""
    pool, index_type = sig.args
    pointer = element(context, builder, pool, args[0], index_type, args[1])
    if isinstance(pool.item, types.Record):
        return builder.bitcast(pointer, context.get_value_type(pool.item))
    return builder.load(pointer)


@lower_builtin(operator.setitem, Pool, types.Integer, types.Integer)  # type: ignore[untyped-decorator]
def lower_setitem(context, builder, sig, args):
    """Write an integer."""
    pool, index_type, value_type = sig.args
    pointer = element(context, builder, pool, args[0], index_type, args[1])
    builder.store(context.cast(builder, args[2], value_type, pool.item), pointer)
    return context.get_dummy_value()


class Handle(NamedTuple):
    """What entry kernels are given for a tuple of arrays."""

    value: Any  # the table's address, or the arrays themselves when there is no JIT
    keep: Any  # what must live as long as the handle is used


def handle_of(arrays: Any) -> Handle:
    """Return a handle to a named tuple of arrays."""
    if config.DISABLE_JIT:
        return Handle(arrays, arrays)
    pairs = [word for array in arrays for word in (array.ctypes.data, len(array))]
    table = np.array(pairs, "<i8")
    return Handle(table.ctypes.data, (table, arrays))


def viewer(name: str, fields: dict[str, np.dtype[Any]]) -> Callable[[Any], Any]:
    """Return a function for entry kernels: from a handle's value to the arrays."""
    if config.DISABLE_JIT:
        return lambda arrays: arrays
    table = Table(name, tuple(fields.items()))

    @intrinsic
    def view(typing_context, address):
        def generate(context, builder, sig, args):
            return builder.inttoptr(args[0], BYTES)

        return table(types.int64), generate

    return view  # type: ignore[no-any-return]
