"""Compiled: the flow of U U' for very many 3 x 3 completion problems, one by one.

A problem is six weights and six values, in the order of `PAIRS`: the weight is 1 where
an entry is observed and 0 elsewhere. The point is the 3 x 3 factor U, column after
column: a column is a hidden unit, and the largest comes first.

One step is of a Rosenbrock method, because flows from small starts are stiff (rates of
order 1 beside an escape that takes thousands of units of time) and the residual of a
problem whose completions are all singular falls like 1 / time. The derivative of the
velocity is minus a Hessian, symmetric, so a step costs one L D L' of size 9. Without
pivoting this keeps units of very different size apart: rows and columns of a small unit
are small by its size, and so are the errors made in them. Where the matrix is not
positive definite the step is longer than the fastest growth allows, and is halved.

Source: hairer1996, section IV.7 (linearly implicit methods), and its code RODAS.
"""

import numba
import numpy as np

# The entries of a symmetric 3 x 3 matrix, in the order of weights and values.
PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))

CONVERGED, STILL, OUT_OF_STEPS, STEP_TOO_SMALL = range(4)

_GAMMA = 0.25
# Arguments of stages 2...5 from the solutions of the stages before.
_A = np.array(
    [
        [1.544, 0.0, 0.0, 0.0],
        [0.9466785280815826, 0.2557011698983284, 0.0, 0.0],
        [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950],
    ]
)
# Right-hand sides of stages 2...6, in units of 1 / step.
_C = np.array(
    [
        [-5.6688, 0.0, 0.0, 0.0, 0.0],
        [-2.430093356833875, -0.2063599157091915, 0.0, 0.0, 0.0],
        [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0.0, 0.0],
        [
            7.496443313967647,
            -10.24680431464352,
            -33.99990352819905,
            11.70890893206160,
            0,
        ],
        [
            8.083246795921522,
            -7.981132988064893,
            -31.52159432874371,
            16.31930543123136,
            -6.058818238834054,
        ],
    ]
)


@numba.njit(cache=True, error_model="numpy")
def _pull(weights, values, u, h):
    """H = -sym grad f(U U') into h, and the sum of squares of the residual."""
    total = 0.0
    k = 0
    for i in range(3):
        for j in range(i, 3):
            w = u[i] * u[j] + u[3 + i] * u[3 + j] + u[6 + i] * u[6 + j]
            residual = weights[k] * (w - values[k])
            total += residual * residual
            force = -residual if i == j else -0.5 * residual
            h[i, j] = force
            h[j, i] = force
            k += 1
    return total


@numba.njit(cache=True, error_model="numpy")
def _velocity(h, u, out):
    for c in range(0, 9, 3):
        a, b, d = u[c], u[c + 1], u[c + 2]
        for i in range(3):
            out[c + i] = h[i, 0] * a + h[i, 1] * b + h[i, 2] * d


@numba.njit(cache=True, error_model="numpy")
def _factor(weights, u, h, diagonal, low, inverse):
    """L D L' of diagonal * I minus the velocity's derivative; whether D > 0.

    The derivative is H in every unit, minus, from unit c, row i to unit d, row k,
    (k = i) sum_j g_kj U_jd U_jc + g_ik U_id U_kc, with g 1 on the diagonal, 1/2 off it.
    """
    g = np.empty((3, 3))
    k = 0
    for i in range(3):
        for j in range(i, 3):
            g[i, j] = weights[k] if i == j else 0.5 * weights[k]
            g[j, i] = g[i, j]
            k += 1
    for c in range(3):
        is_zero = u[3 * c] == 0.0 and u[3 * c + 1] == 0.0 and u[3 * c + 2] == 0.0
        for d in range(c + 1):
            x0 = u[3 * c] * u[3 * d]
            x1 = u[3 * c + 1] * u[3 * d + 1]
            x2 = u[3 * c + 2] * u[3 * d + 2]
            for i in range(3):
                for k in range(3):
                    entry = g[i, k] * u[3 * d + i] * u[3 * c + k]
                    if i == k:
                        entry += g[i, 0] * x0 + g[i, 1] * x1 + g[i, 2] * x2
                    if c == d and i == k:
                        entry += diagonal
                    # A unit that is zero stays so, however fast others could grow.
                    if c == d and not is_zero:
                        entry -= h[i, k]
                    low[3 * c + i, 3 * d + k] = entry
    scaled = np.empty(9)
    for i in range(9):
        pivot = low[i, i]
        for j in range(i):
            total = low[i, j]
            for k in range(j):
                total -= scaled[k] * low[j, k]
            scaled[j] = total
        for j in range(i):
            ratio = scaled[j] * inverse[j]
            pivot -= scaled[j] * ratio
            low[i, j] = ratio
        if not pivot > 0.0:
            return False
        inverse[i] = 1.0 / pivot
    return True


@numba.njit(cache=True, error_model="numpy")
def _solve(low, inverse, x):
    for i in range(1, 9):
        total = x[i]
        for j in range(i):
            total -= low[i, j] * x[j]
        x[i] = total
    for i in range(9):
        x[i] *= inverse[i]
    for i in range(7, -1, -1):
        total = x[i]
        for j in range(i + 1, 9):
            total -= low[j, i] * x[j]
        x[i] = total


@numba.njit(cache=True, error_model="numpy")
def _one(weights, values, u, rtol, floors, goal, still, max_steps, time):
    """The flow of one problem from u, which is overwritten; (time, steps, status)."""
    h = np.empty((3, 3))
    velocity = np.empty(9)
    low = np.empty((9, 9))
    inverse = np.empty(9)
    stages = np.empty((6, 9))
    there = np.empty(9)
    new = np.empty(9)
    squares = _pull(weights, values, u, h)
    _velocity(h, u, velocity)
    speed = 0.0
    for i in range(3):
        speed = max(speed, abs(h[i, 0]) + abs(h[i, 1]) + abs(h[i, 2]))
    step = 0.05 / max(speed, 1e-300)
    steps = 0
    rejected = False
    while True:
        if squares <= goal * goal:
            return time, steps, CONVERGED
        pace = 0.0
        for c in range(3):
            size = moved = 0.0
            for i in range(3 * c, 3 * c + 3):
                size = max(size, abs(u[i]))
                moved = max(moved, abs(velocity[i]))
            if size > 0.0 and size >= floors[c]:
                pace = max(pace, moved / size)
        if pace <= still:
            return time, steps, STILL
        if steps >= max_steps:
            return time, steps, OUT_OF_STEPS
        steps += 1
        if not step > 1e-15 / max(speed, 1e-300):
            return time, steps, STEP_TOO_SMALL
        if not _factor(weights, u, h, 1.0 / (_GAMMA * step), low, inverse):
            step *= 0.5
            rejected = True
            continue
        # h is used up by the stages; it is made again at the point that is kept.
        for i in range(9):
            stages[0, i] = velocity[i]
        _solve(low, inverse, stages[0])
        for s in range(1, 6):
            if s < 5:
                for i in range(9):
                    total = u[i]
                    for j in range(s):
                        total += _A[s - 1, j] * stages[j, i]
                    there[i] = total
            else:
                for i in range(9):
                    there[i] += stages[4, i]
            _pull(weights, values, there, h)
            _velocity(h, there, stages[s])
            for j in range(s):
                factor = _C[s - 1, j] / step
                for i in range(9):
                    stages[s, i] += factor * stages[j, i]
            _solve(low, inverse, stages[s])
        error = 0.0
        for c in range(3):
            off = size = 0.0
            for i in range(3 * c, 3 * c + 3):
                new[i] = there[i] + stages[5, i]
                # No squares: those of a unit of size 1e-160 are 0.
                off = max(off, abs(stages[5, i]))
                size = max(size, abs(u[i]), abs(new[i]))
            if off > 0.0:
                error = max(error, off / (rtol * max(size, floors[c])))
        if not error <= 1.0:
            shrink = 0.9 * error**-0.25 if error < 1e8 else 0.0
            step *= max(0.2, shrink)
            rejected = True
            _pull(weights, values, u, h)
            continue
        time += step
        for i in range(9):
            u[i] = new[i]
        squares = _pull(weights, values, u, h)
        _velocity(h, u, velocity)
        growth = min(6.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.25))
        step *= min(growth, 1.0) if rejected else growth
        rejected = False


@numba.njit(cache=True, error_model="numpy", nogil=True)
def integrate_all(
    weights, values, points, rtol, floors, goals, still, max_steps, times, steps, codes
):
    """All problems, one after the other; points, times, steps, codes are overwritten.

    Args:
        weights: (6,), 1 where observed.
        values: (n, 6).
        points: (n, 9), U column after column.
        rtol: error allowed per step, relative to each unit's size.
        floors: (n, 3), sizes of the units below which their error does not count.
        goals: (n,), norms of the residual at which to end.
        still: pace at which nothing moves any more.
        max_steps: of one flow.
        times: (n,), flow times at the start and then at the end.
        steps: (n,), steps taken, refused ones too.
        codes: (n,), why each ended.
    """
    for n in range(points.shape[0]):
        times[n], steps[n], codes[n] = _one(
            weights,
            values[n],
            points[n],
            rtol,
            floors[n],
            goals[n],
            still,
            max_steps,
            times[n],
        )
