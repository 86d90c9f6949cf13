"""Memory as the processor has it: lines that are asked for ahead, words of several fields."""

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from matching._memory import BYTES, WORD, Pool, Row, address_of, member

if config.DISABLE_JIT:

    def prefetch(pool, index):
        """Do nothing: there is no cache to warm."""

    def word_at(row, name):
        """Return the eight bytes of a record that begin at a field, as one integer."""
        start = row.dtype.fields[name][1]
        return int.from_bytes(row.tobytes()[start : start + 8], "little", signed=True)

    def put_word(row, name, value):
        """Write the eight bytes of a record that begin at a field."""
        start = row.dtype.fields[name][1]
        raw = int(value).to_bytes(8, "little", signed=True)
        for each, (kind, offset, *_) in row.dtype.fields.items():
            if start <= offset < start + 8:
                row[each] = np.frombuffer(raw, kind, 1, offset - start)[0]

    def put_either(condition, row, name, other, other_name, value):
        """Write a field of one record if a condition holds, else one of another record."""
        if condition:
            row[name] = value
        else:
            other[other_name] = value

else:

    @intrinsic
    def prefetch(typing_context, pool, index):
        """Ask for an element's cache line; any index will do, nothing is read."""

        def generate(context, builder, sig, args):
            pointer = address_of(context, builder, sig.args[0], args[0], sig.args[1], args[1])
            flag = ir.IntType(32)
            function_type = ir.FunctionType(ir.VoidType(), [BYTES, flag, flag, flag])
            name = "llvm.prefetch.p0"
            function = cgutils.get_or_insert_function(builder.module, function_type, name)
            builder.call(function, [builder.bitcast(pointer, BYTES), flag(1), flag(3), flag(1)])
            return context.get_dummy_value()

        if isinstance(pool, Pool) and isinstance(index, types.Integer):
            return types.none(pool, index), generate
        return None

    @intrinsic(prefer_literal=True)
    def word_at(typing_context, row, name):
        """Return the eight bytes of a record that begin at a field, as one integer."""

        def generate(context, builder, sig, args):
            place = builder.gep(args[0], [WORD(row.members[name.literal_value][1])])
            return builder.load(builder.bitcast(place, WORD.as_pointer()))

        if isinstance(row, Row) and isinstance(name, types.StringLiteral):
            return types.int64(row, name), generate
        return None

    @intrinsic(prefer_literal=True)
    def put_word(typing_context, row, name, value):
        """Write the eight bytes of a record that begin at a field: one store for several fields."""

        def generate(context, builder, sig, args):
            place = builder.gep(args[0], [WORD(row.members[name.literal_value][1])])
            builder.store(args[2], builder.bitcast(place, WORD.as_pointer()))
            return context.get_dummy_value()

        if isinstance(row, Row) and isinstance(name, types.StringLiteral):
            return types.none(row, name, types.int64), generate
        return None

    @intrinsic(prefer_literal=True)
    def put_either(typing_context, condition, row, name, other, other_name, value):
        """Write a field of one record if a condition holds, else one of another record.

        Without a branch, which would be wrong every fifth time in the lists of an account's orders.
        """

        def generate(context, builder, sig, args):
            first_kind, first = member(context, builder, row, args[1], name.literal_value)
            kind, second = member(context, builder, other, args[3], other_name.literal_value)
            assert first_kind == kind
            place = builder.select(args[0], first, second)
            builder.store(context.cast(builder, args[5], sig.args[5], kind), place)
            return context.get_dummy_value()

        if isinstance(row, Row) and isinstance(other, Row):
            return types.none(condition, row, name, other, other_name, value), generate
        return None
