"""Rows of a factor as vectors of the machine, for compiled passes over entries.

A row whose length is known when a pass is compiled stays in registers from its first
entry to its last; as a loop over a length known only then, it goes through memory at
every entry, at a third of the speed. A row here is a few vectors, and the number of its
columns is a multiple of what one of them holds: 64 bytes where there are two or more of
these, else 32, so that sums go on in two of them at least.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

VECTOR_BYTES, LONG_BYTES = 32, 64
LINE_BYTES = 64
# Sums may be taken in the order of the machine's vectors.
_SUMS = ("reassoc", "contract", "nsz")
# Such a function is called without the first argument that it is written with.
_written: Any = intrinsic
_INDEX, _LANE = ir.IntType(64), ir.IntType(32)


class RowType(types.Type):
    """The type of a row in compiled code: `count` vectors of `lanes` numbers."""

    def __init__(self, dtype: Any, width: int):
        self.dtype = dtype
        length = width * dtype.bitwidth // 8
        is_long = length % LONG_BYTES == 0 and length >= 2 * LONG_BYTES
        vector = LONG_BYTES if is_long else VECTOR_BYTES
        self.lanes = min(vector * 8 // dtype.bitwidth, width)
        self.count = width // self.lanes
        assert self.count * self.lanes == width, "a row is whole vectors"
        types.Type.__init__(self, name=f"Row({dtype}, {width})")


@register_model(RowType)
def _row_model(manager, kind):
    """How a row is held: as an array of vectors."""
    number = ir.FloatType() if kind.dtype == types.float32 else ir.DoubleType()
    vectors = ir.ArrayType(ir.VectorType(number, kind.lanes), kind.count)
    return models.PrimitiveModel(manager, kind, vectors)


def _address(context, builder, kind, array, row):
    """Where a row of a two-dimensional array begins, as a number."""
    held = context.make_array(kind)(context, builder, array)
    stride = cgutils.unpack_tuple(builder, held.strides, 2)[0]
    begin = builder.ptrtoint(held.data, _INDEX)
    return builder.add(begin, builder.mul(row, stride))


def _whole(context, builder, signature, args):
    """The row's number, of whatever integer type it came."""
    return context.cast(builder, args[1], signature.args[1], types.int64)


def _vectors(builder, address, kind, row):
    """Pointers to the vectors of a row."""
    first = builder.inttoptr(address, kind.element.as_pointer())
    return [builder.gep(first, [_INDEX(n)]) for n in range(row.count)]


@_written
def load(typing, array, row, width):
    """`width` numbers, a literal, of a row of a contiguous array."""
    if not isinstance(width, types.IntegerLiteral):
        return None
    loaded = RowType(array.dtype, width.literal_value)

    def code(context, builder, signature, args):
        kind = context.get_value_type(loaded)
        at = _whole(context, builder, signature, args)
        address = _address(context, builder, array, args[0], at)
        out = ir.Constant(kind, ir.Undefined)
        for n, place in enumerate(_vectors(builder, address, kind, loaded)):
            vector = builder.load(place, align=loaded.dtype.bitwidth // 8)
            out = builder.insert_value(out, vector, n)
        return out

    return loaded(array, row, width), code


@_written
def number(typing, array, row, column):
    """One number of a contiguous array, without a thought of negative indices."""

    def code(context, builder, signature, args):
        at = _whole(context, builder, signature, args)
        column_at = context.cast(builder, args[2], signature.args[2], types.int64)
        kind = context.get_value_type(array.dtype)
        begin = builder.inttoptr(
            _address(context, builder, array, args[0], at), kind.as_pointer()
        )
        return builder.load(builder.gep(begin, [column_at]))

    return array.dtype(array, row, column), code


@_written
def store(typing, array, row, numbers):
    """Write a row of a contiguous array."""

    def code(context, builder, signature, args):
        kind = context.get_value_type(numbers)
        at = _whole(context, builder, signature, args)
        address = _address(context, builder, array, args[0], at)
        for n, place in enumerate(_vectors(builder, address, kind, numbers)):
            vector = builder.extract_value(args[2], n)
            builder.store(vector, place, align=numbers.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, row, numbers), code


@_written
def prefetch(typing, array, row, width):
    """Ask for a row that will be loaded later: rows of many entries come at random."""
    if not isinstance(width, types.IntegerLiteral):
        return None

    def code(context, builder, signature, args):
        at = _whole(context, builder, signature, args)
        address = _address(context, builder, array, args[0], at)
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, _LANE, _LANE, _LANE])
        name = "llvm.prefetch.p0"
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        length = width.literal_value * array.dtype.bitwidth // 8
        for line in range(0, length, LINE_BYTES):
            place = builder.inttoptr(builder.add(address, _INDEX(line)), byte)
            # to read; to be kept near; data
            builder.call(function, [place, _LANE(0), _LANE(3), _LANE(1)])
        return context.get_dummy_value()

    return types.void(array, row, width), code


@_written
def zeros_like(typing, numbers):
    """A row of zeros."""

    def code(context, builder, signature, args):
        return ir.Constant(context.get_value_type(numbers), None)

    return numbers(numbers), code


@_written
def dot(typing, a, b):
    """The inner product of two rows."""

    def code(context, builder, signature, args):
        total = None
        for n in range(a.count):
            pair = [builder.extract_value(row, n) for row in args]
            product = builder.fmul(*pair, flags=_SUMS)
            if total is None:
                total = product
            else:
                total = builder.fadd(total, product, flags=_SUMS)
        return _sum(builder, total, a.lanes)

    return a.dtype(a, b), code


def _sum(builder, vector, lanes):
    """The sum of a vector's numbers: halves are added until one number is left."""
    nothing = ir.Constant(vector.type, ir.Undefined)
    while lanes > 1:
        lanes //= 2
        low, high = (
            builder.shuffle_vector(vector, nothing, _lanes(at, lanes))
            for at in (0, lanes)
        )
        vector = builder.fadd(low, high, flags=_SUMS)
        nothing = ir.Constant(vector.type, ir.Undefined)
    return builder.extract_element(vector, _LANE(0))


def _lanes(first, count):
    """The numbers of `count` lanes from `first` on."""
    numbers = [_LANE(first + k) for k in range(count)]
    return ir.Constant(ir.VectorType(_LANE, count), numbers)


@_written
def add_scaled(typing, total, scale, row):
    """Add a multiple of a row, the number of the rows' type."""
    if scale != total.dtype:
        return None

    def code(context, builder, signature, args):
        out, number, numbers = args
        kind = context.get_value_type(total).element
        nothing = ir.Constant(kind, ir.Undefined)
        first = builder.insert_element(nothing, number, _LANE(0))
        everywhere = ir.Constant(ir.VectorType(_LANE, total.lanes), None)
        spread = builder.shuffle_vector(first, nothing, everywhere)
        for n in range(total.count):
            product = builder.fmul(
                spread, builder.extract_value(numbers, n), flags=_SUMS
            )
            before = builder.extract_value(out, n)
            out = builder.insert_value(
                out, builder.fadd(before, product, flags=_SUMS), n
            )
        return out

    return total(total, scale, row), code
