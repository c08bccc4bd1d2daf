"""Products with the observed entries of a matrix, which is never formed.

What large completions cost is a few passes over their entries: the entries of a thin
product L R', the matrix of entries times a thin block from either side, and the same
for second derivatives and for least squares row by row. Here the entries are sorted
once by rows and once by columns, so that each pass writes row after row, and the rows
are shared among threads.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from lowrankflow.problems.matrices import Numbers
from lowrankflow.problems.padding import WIDEST, aligned, padded, padded_rank

# Fewer operations than this are not worth handing to another thread.
_WORTH_SHARING = 500_000
# With fewer entries, loops over any rank are as good as passes compiled for one.
_WORTH_COMPILING = 20_000
_LIMITS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS")


@dataclass(frozen=True, kw_only=True, eq=False)
class SortedEntries:
    """The entries by rows (or, of the transpose, by columns).

    Args:
        start: where the entries of each row begin, and the end.
        index: their columns, row after row.
        shares: first row of each thread's share, and the end; of about equal entries.
    """

    start: Int[np.ndarray, " rows+1"]
    index: Int[np.ndarray, " m"]
    shares: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class SampledProducts:
    """The entries of a matrix sorted both ways, and the passes over them.

    Values of entries are in the order of rows throughout: `sort` brings them there.

    Args:
        by_row: the entries row after row.
        by_col: and column after column.
        order: where in the operator's order the entries are found, row after row.
        to_col: where in the order of rows they are found, column after column.
        shape: (rows, cols).
        threads: how many share a pass.

    Exactness: exact but for rounding; the bits do not depend on the threads.
    Cost: m rank operations a pass, and a copy of factors whose rank is no whole number
        of vectors; memory for 4 m indices of 32 bits. float32 or float64, that of the
        arguments. From 20,000 entries on, passes are compiled for a padded rank each
        (8, 16, 24, 32, 48, 64), once in half a second or less, and kept.
    """

    by_row: SortedEntries
    by_col: SortedEntries
    order: Int[np.ndarray, " m"]
    to_col: Int[np.ndarray, " m"]
    shape: tuple[int, int]
    threads: int

    @staticmethod
    def of(
        row_index: Numbers,
        col_index: Numbers,
        shape: tuple[int, int],
        *,
        threads: int | None = None,
    ) -> "SampledProducts":
        """Sort the entries.

        Args:
            row_index: 0-based row of each entry.
            col_index: 0-based column; the pairs are distinct.
            shape: (rows, cols).
            threads: how many share a pass; without it as many as there are cores, or as
                NUMBA_NUM_THREADS or OMP_NUM_THREADS allow.
        """
        # Numba takes half a second to import, and few problems need it.
        from lowrankflow.problems import sorting_kernel as sorting

        threads = available_threads() if threads is None else threads
        rows, cols = np.asarray(row_index), np.asarray(col_index)
        row_start, col_start = (
            sorting.starts(index, size)
            for index, size in zip((rows, cols), shape, strict=True)
        )
        by_row, by_col, order, to_col = sorting.sort_both(
            rows, cols, row_start, col_start
        )
        return SampledProducts(
            by_row=_sorted(row_start, by_row, threads),
            by_col=_sorted(col_start, by_col, threads),
            order=order,
            to_col=to_col,
            shape=(int(shape[0]), int(shape[1])),
            threads=threads,
        )

    @property
    def num_entries(self) -> int:
        """How many entries there are."""
        return self.order.size

    def sort(self, values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """Values from the operator's order into that of rows."""
        return np.asarray(values)[self.order]

    def dot(self, a: Float[np.ndarray, " m"], b: Float[np.ndarray, " m"]) -> float:
        """The inner product of two vectors of entries, added in float64."""
        return _kernels().dot(a, b)

    def sizes(self, dtype: np.dtype) -> Float[np.ndarray, " m"]:
        """The multiple of its entry that each measurement is: 1."""
        return np.ones(self.num_entries, dtype)

    def entries(
        self,
        left: Float[np.ndarray, "rows rank"],
        right: Float[np.ndarray, "cols rank"],
        *,
        by: Literal["row", "col"] = "row",
    ) -> Float[np.ndarray, " m"]:
        """The entries of left right', in the order of rows or of columns."""
        out = np.empty(self.num_entries, left.dtype)
        rank = left.shape[1]
        if rank == 0:
            out[:] = 0
            return out
        width = self._width(rank)
        left, right = (padded(factor, width) for factor in (left, right))
        kernel = self._kernel("entries", width)
        if by == "row":
            self.share(kernel, self.by_row, rank, left, right, out)
        else:
            self.share(kernel, self.by_col, rank, right, left, out)
        return out

    def mm(
        self, values: Float[np.ndarray, " m"], block: Float[np.ndarray, "cols k"]
    ) -> Float[np.ndarray, "rows k"]:
        """The matrix of entries times a thin block."""
        return self._product(self.by_row, values, block)

    def rmm(
        self, values: Float[np.ndarray, " m"], block: Float[np.ndarray, "rows k"]
    ) -> Float[np.ndarray, "cols k"]:
        """The transpose of the matrix of entries times a thin block."""
        return self.rmm_by_col(values[self.to_col], block)

    def rmm_by_col(
        self, values_by_col: Float[np.ndarray, " m"], block: Float[np.ndarray, "rows k"]
    ) -> Float[np.ndarray, "cols k"]:
        """The same of values in the order of columns, `values[to_col]`."""
        return self._product(self.by_col, values_by_col, block)

    def _product(
        self,
        half: SortedEntries,
        values: Float[np.ndarray, " m"],
        block: Float[np.ndarray, "there k"],
    ) -> Float[np.ndarray, "here k"]:
        rank = block.shape[1]
        if rank == 0:
            return np.zeros((half.start.size - 1, 0), block.dtype)
        width = self._width(rank)
        out = aligned((half.start.size - 1, width), block.dtype)
        values = values.astype(block.dtype, copy=False)
        arrays = (values, padded(block, width), out)
        self.share(self._kernel("product", width), half, rank, *arrays)
        return np.ascontiguousarray(out[:, :rank])

    def residual_mm(
        self,
        values: Float[np.ndarray, " m"],
        own: Float[np.ndarray, "here rank"],
        other: Float[np.ndarray, "there rank"],
        *,
        by: Literal["row", "col"] = "row",
        residual: Float[np.ndarray, " m"] | None = None,
    ) -> tuple[Float[np.ndarray, "here rank"], float]:
        """The residual times a factor, and its sum of squares, in one pass.

        With e_k = <own_i, other_j> - y_k, row i of the answer is the sum of e_k other_j
        over its entries: the gradient of 1/2 ||entries(own other') - y||^2 in `own`.

        Args:
            values: y, in the order of rows (by "row") or of columns (by "col").
            own: the factor whose gradient this is: of the rows, or of the columns.
            other: the other factor.
            by: whether `own` belongs to the "row"s or the "col"s.
            residual: where to write e, in the order of `values`; None to keep none.

        Returns:
            The block, of the shape of `own`, and the sum of e_k^2 (added in float64,
            row by row, then over the rows).
        """
        half = self.by_row if by == "row" else self.by_col
        rank, dtype = own.shape[1], own.dtype
        if rank == 0:
            if residual is not None:
                np.negative(values, out=residual)
            return np.zeros_like(own), float(np.square(values, dtype=float).sum())
        width = self._width(rank)
        out = aligned((own.shape[0], width), dtype)
        squares = np.empty(own.shape[0])
        kept = residual is not None
        written = residual if kept else np.empty(0, dtype)
        values = values.astype(dtype, copy=False)
        here, there = padded(own, width), padded(other, width)
        kernel = self._kernel("residual_product", width, kept)
        arrays = (values, here, there, written, out, squares)
        self.share(kernel, half, 2 * rank, *arrays)
        return np.ascontiguousarray(out[:, :rank]), float(squares.sum())

    def curvature(
        self,
        residual: Float[np.ndarray, " m"],
        residual_by_col: Float[np.ndarray, " m"],
        point: tuple[Float[np.ndarray, "rows rank"], Float[np.ndarray, "cols rank"]],
        moved: tuple[Float[np.ndarray, "rows rank"], Float[np.ndarray, "cols rank"]],
    ) -> tuple[Float[np.ndarray, "rows rank"], Float[np.ndarray, "cols rank"]]:
        """The Hessian of 1/2 ||entries(L R') - y||^2 in (L, R) times a direction.

        Args:
            residual: entries(L R') - y, in the order of rows.
            residual_by_col: the same in the order of columns, `residual[to_col]`.
            point: L and R.
            moved: the direction.
        """
        rank = point[0].shape[1]
        if rank == 0:
            return np.zeros_like(point[0]), np.zeros_like(point[1])
        width = self._width(rank)
        kernel = self._kernel("curvature", width)
        left, right, *changes = (padded(f, width) for f in (*point, *moved))
        d_left, d_right = changes
        out = [aligned(factor.shape, factor.dtype) for factor in (left, right)]
        arrays = (residual, left, right, d_left, d_right, out[0])
        self.share(kernel, self.by_row, 4 * rank, *arrays)
        arrays = (residual_by_col, right, left, d_right, d_left, out[1])
        self.share(kernel, self.by_col, 4 * rank, *arrays)
        rows, cols = (np.ascontiguousarray(block[:, :rank]) for block in out)
        return rows, cols

    def least_squares_rows(
        self,
        values: Float[np.ndarray, " m"],
        left: Float[np.ndarray, "rows rank"],
        right: Float[np.ndarray, "cols rank"],
        *,
        ridge: float,
        damping: float,
    ) -> None:
        """Move each row of `left`, in place, to where 1/2 ||entries(L R') - y||^2 +
        ridge/2 ||L||^2 is least, with `right` held.

        Args:
            values: y, in the order of rows.
            left: L; changed.
            right: R.
            ridge: >= 0.
            damping: > 0, small: what keeps a direction that nothing decides.
        """
        self._solve(self.by_row, values, left, right, ridge, damping)

    def least_squares_cols(
        self,
        values_by_col: Float[np.ndarray, " m"],
        left: Float[np.ndarray, "rows rank"],
        right: Float[np.ndarray, "cols rank"],
        *,
        ridge: float,
        damping: float,
    ) -> None:
        """The same for each row of `right`; values in the order of columns."""
        self._solve(self.by_col, values_by_col, right, left, ridge, damping)

    def _solve(
        self,
        half: SortedEntries,
        values: Float[np.ndarray, " m"],
        point: Float[np.ndarray, "here rank"],
        fixed: Float[np.ndarray, "there rank"],
        ridge: float,
        damping: float,
    ) -> None:
        rank, dtype = point.shape[1], point.dtype
        if rank == 0:
            return
        width = self._width(rank)
        scalars = dtype.type(ridge), dtype.type(damping)
        moved = padded(point, width)
        arrays = (values, padded(fixed, width), rank, *scalars, moved)
        self.share(self._kernel("least_squares", width), half, rank * rank, *arrays)
        if moved is not point:
            point[:] = moved[:, :rank]

    def _width(self, rank: int) -> int:
        """What factors are padded to; nothing where passes are not worth compiling."""
        return padded_rank(rank) if self.num_entries >= _WORTH_COMPILING else rank

    def _kernel(self, name: str, width: int, *settings: bool) -> Callable[..., None]:
        """The pass of this name, compiled for a width where there is such a one."""
        if width > WIDEST or self.num_entries < _WORTH_COMPILING:
            return getattr(_kernels(), name)
        from lowrankflow.problems import sampled_wide

        return getattr(sampled_wide, name)(width, *settings)

    def share(self, kernel, half: SortedEntries, work: int, *arrays) -> None:
        """Run a compiled pass over all rows, or columns, a range of them each thread.

        Args:
            kernel: takes the start and index of `half`, the arrays, and the first row
                and the end of a range.
            half: `by_row` or `by_col`.
            work: operations an entry.
            arrays: what the pass reads and writes.
        """
        shares = half.shares
        if self.threads == 1 or half.index.size * work < _WORTH_SHARING:
            kernel(half.start, half.index, *arrays, 0, half.start.size - 1)
            return
        # What this thread does itself needs no handing over.
        tasks = [
            _pool(self.threads).submit(kernel, half.start, half.index, *arrays, *ends)
            for ends in zip(shares[1:-1], shares[2:], strict=True)
        ]
        kernel(half.start, half.index, *arrays, shares[0], shares[1])
        wait(tasks)
        for task in tasks:
            task.result()


def available_threads() -> int:
    """As many threads as this process has cores, or as the environment allows."""
    # Not every system has the first, which knows what this process may use.
    own = getattr(os, "sched_getaffinity", None)
    count = len(own(0)) if own else os.cpu_count() or 1
    for name in _LIMITS:
        given = os.environ.get(name, "")
        if given.isdigit() and int(given) > 0:
            count = min(count, int(given))
    return count


def _sorted(
    start: Int[np.ndarray, " rows+1"], index: Int[np.ndarray, " m"], threads: int
) -> SortedEntries:
    wanted = np.arange(1, threads) * index.size / threads
    inner = np.searchsorted(start, wanted)
    shares = (0, *(int(i) for i in inner), start.size - 1)
    return SortedEntries(start=start, index=index, shares=shares)


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="lowrankflow")


def _kernels() -> ModuleType:
    # Numba takes half a second to import, and few problems need it.
    from lowrankflow.problems import sampled_kernel

    return sampled_kernel


# After a fork the threads of the parent are not there.
if os.name == "posix":
    os.register_at_fork(after_in_child=_pool.cache_clear)
