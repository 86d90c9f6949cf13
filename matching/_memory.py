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
    infer,
    infer_getattr,
    infer_global,
    signature,
)
from numba.extending import intrinsic, lower_builtin, lower_getattr_generic

WORD: Final = ir.IntType(64)
BYTES: Final = ir.IntType(8).as_pointer()


class Pool(types.Type):  # type: ignore[misc]
    """One array of a table: records, or plain integers."""

    def __init__(self, table: str, name: str, place: int, dtype: np.dtype[Any]) -> None:
        """Name the array, the pair of the table (address, length) and what the array holds."""
        self.label, self.place = f"{table}.{name}", place
        self.item = from_dtype(dtype) if dtype.names is None else Row(self.label, dtype)
        super().__init__(f"Pool({self.label}, {place}, {dtype})")


class Row(types.Type):  # type: ignore[misc]
    """One record of an array, by reference."""

    def __init__(self, label: str, dtype: np.dtype[Any]) -> None:
        """Name the array that the record belongs to."""
        assert dtype.isalignedstruct or dtype == np.dtype(dtype.descr, align=True), label
        assert dtype.names is not None and dtype.fields is not None
        self.label, self.size = label, dtype.itemsize
        self.members = {
            name: (from_dtype(dtype.fields[name][0]), dtype.fields[name][1])
            for name in dtype.names
            if dtype.fields[name][0].shape == ()
        }
        super().__init__(f"Row({label}, {dtype})")


class Table(types.Type):  # type: ignore[misc]
    """The address of a table, with the names of its arrays."""

    def __init__(self, name: str, fields: tuple[tuple[str, np.dtype[Any]], ...]) -> None:
        """Name the arrays, in the order of the table."""
        self.pools = {
            field: Pool(name, field, place, dtype) for place, (field, dtype) in enumerate(fields)
        }
        super().__init__(f"Table({name}, {fields})")


@register_default(Pool)
@register_default(Row)
@register_default(Table)
class AddressModel(models.PrimitiveModel):  # type: ignore[misc]
    """All are passed as one pointer."""

    def __init__(self, manager: Any, of_type: types.Type) -> None:
        """Say how the value is kept."""
        super().__init__(manager, of_type, BYTES)


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


@infer
class RowField(AbstractTemplate):  # type: ignore[misc]
    """`order["key"]` is an integer."""

    key = "static_getitem"

    def generic(self, arguments, keywords):
        """Type the expression."""
        row, name = arguments
        if isinstance(row, Row) and name in row.members:
            return signature(row.members[name][0], row, types.literal(name))
        return None


@infer
class RowFieldSet(AbstractTemplate):  # type: ignore[misc]
    """`order["key"] = key` writes an integer."""

    key = "static_setitem"

    def generic(self, arguments, keywords):
        """Type the statement."""
        row, name, value = arguments
        numbers = (types.Integer, types.IntEnumMember)
        if isinstance(row, Row) and name in row.members and isinstance(value, numbers):
            return signature(types.void, row, types.literal(name), value)
        return None


def load_word(builder, table_address, place):
    """Load a word of the table, which never changes while a kernel runs."""
    words = builder.bitcast(table_address, WORD.as_pointer())
    word = builder.load(builder.gep(words, [WORD(place)]))
    word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


def only(builder, instruction, label):
    """Tell the compiler that nothing of another name is at this address: no two fields overlap.

    What is loaded may then be kept while other fields are written (type-based alias analysis,
    LLVM Language Reference, "tbaa").
    """
    module = builder.module
    root = module.add_metadata(["wellhead"])
    kind = module.add_metadata([label, root, WORD(0)])
    instruction.set_metadata("tbaa", module.add_metadata([kind, kind, WORD(0)]))
    return instruction


def element(context, builder, pool, table_address, index_type, index):
    """Return a pointer to an element of a pool: bytes of a record, or an integer."""
    if context.enable_boundscheck:
        place = context.cast(builder, index, index_type, types.int64)
        length = load_word(builder, table_address, 2 * pool.place + 1)
        cgutils.do_boundscheck(context, builder, place, length)
    return address_of(context, builder, pool, table_address, index_type, index)


def pinned(builder, pointer):
    """Return the same pointer, as a value that the compiler cannot take apart.

    Else it would keep a base and an offset of each record, two registers for one, all along a path
    that has fifteen: the assembly is empty and only stands for "any other value".
    """
    same = builder.asm(ir.FunctionType(BYTES, [BYTES]), "", "=r,0", [pointer], side_effect=False)
    same.attributes.add("readnone")
    same.attributes.add("nounwind")
    return same


def address_of(context, builder, pool, table_address, index_type, index):
    """Return a pointer to where an element of a pool would be, whether it exists or not."""
    place = context.cast(builder, index, index_type, types.int64)
    address = load_word(builder, table_address, 2 * pool.place)
    if isinstance(pool.item, Row):
        start = builder.inttoptr(address, BYTES)
        return pinned(builder, builder.gep(start, [builder.mul(place, WORD(pool.item.size))]))
    item = context.get_data_type(pool.item).as_pointer()
    return builder.gep(builder.inttoptr(address, item), [place])


@lower_builtin(operator.getitem, Pool, types.Integer)  # type: ignore[untyped-decorator]
def lower_getitem(context, builder, sig, args):
    """Return a record's pointer, or an integer's value."""
    pool, index_type = sig.args
    pointer = element(context, builder, pool, args[0], index_type, args[1])
    if isinstance(pool.item, Row):
        return pointer
    return only(builder, builder.load(pointer), pool.label)


@lower_builtin(operator.setitem, Pool, types.Integer, types.Integer)  # type: ignore[untyped-decorator]
def lower_setitem(context, builder, sig, args):
    """Write an integer."""
    pool, index_type, value_type = sig.args
    pointer = element(context, builder, pool, args[0], index_type, args[1])
    value = context.cast(builder, args[2], value_type, pool.item)
    only(builder, builder.store(value, pointer), pool.label)
    return context.get_dummy_value()


def member(context, builder, row, pointer, name):
    """Return the type of a field and a pointer to it."""
    kind, offset = row.members[name]
    place = builder.gep(pointer, [WORD(offset)])
    return kind, builder.bitcast(place, context.get_data_type(kind).as_pointer())


@lower_builtin("static_getitem", Row, types.StringLiteral)  # type: ignore[untyped-decorator]
def lower_field(context, builder, sig, args):
    """Return a field's value."""
    row, name = sig.args[0], args[1]
    _, pointer = member(context, builder, row, args[0], name)
    return only(builder, builder.load(pointer), f"{row.label}.{name}")


@lower_builtin("static_setitem", Row, types.StringLiteral, types.Any)  # type: ignore[untyped-decorator]
def lower_field_set(context, builder, sig, args):
    """Write a field."""
    row, _, value_type = sig.args
    kind, pointer = member(context, builder, row, args[0], args[1])
    value = context.cast(builder, args[2], value_type, kind)
    only(builder, builder.store(value, pointer), f"{row.label}.{args[1]}")
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
