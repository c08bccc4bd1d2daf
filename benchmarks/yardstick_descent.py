"""The yardstick: normalized gradient descent of a fixed step, float32, one thread.

The optimizer of arora2019's published code (one adaptive scalar for all factors, step
1e-3, decay 0.99, epsilon 1e-4), to a mean squared residual of 1e-6. Gradients are
written by hand and nothing is allocated in the loop, which takes 0.55 to 0.7 of the
time of the same loop with autograd. Numbers are those of autograd to rounding.

    python yardstick_descent.py RUN.npz ...     one JSON line for each run
"""

import json
import sys
import time

import numpy as np
import torch

STEP = 1e-3
DECAY = 0.99
EPSILON = 1e-4
TARGET = 1e-6
MOST = 1_000_000


def descend(factors, rows, cols, values):
    """Iterations made and the matrix where the mean squared residual is at the target.

    Args:
        factors: W_1, ..., W_N, square, float32.
        rows: row of each observed entry.
        cols: its column.
        values: its value, float32.
    """
    depth, size, count = len(factors), len(factors[0]), len(values)
    point = torch.cat([factor.reshape(-1) for factor in factors])
    slope = torch.empty_like(point)
    weights, slopes = point.view(depth, size, size), slope.view(depth, size, size)
    products = [weights[0], *torch.empty(depth - 1, size, size)]
    spare = torch.empty(2, size, size)
    residual, mask, observed = torch.zeros(3, size, size)
    mask[rows, cols], observed[rows, cols] = 1.0, values
    # The loss is the mean of squares: its gradient is 2 / count times what `slope` has.
    scale = 2 / count
    average, left, iteration = 0.0, 1.0, 0
    while iteration < MOST:
        for j in range(1, depth):
            torch.mm(weights[j], products[j - 1], out=products[j])
        torch.mul(products[-1], mask, out=residual).sub_(observed)
        flat = residual.view(-1)
        if torch.dot(flat, flat).item() <= TARGET * count:
            break
        pulled = residual
        for j in range(depth - 1, 0, -1):
            torch.mm(pulled, products[j - 1].T, out=slopes[j])
            out = slopes[0] if j == 1 else spare[j % 2]
            pulled = torch.mm(weights[j].T, pulled, out=out)
        square = scale**2 * torch.dot(slope, slope).item()
        average, left = DECAY * average + (1 - DECAY) * square, left * DECAY
        step = STEP / ((average / (1 - left)) ** 0.5 + EPSILON)
        point.add_(slope, alpha=-step * scale)
        iteration += 1
    return iteration, products[-1]


def main():
    torch.set_num_threads(1)
    for path in sys.argv[1:]:
        run = np.load(path)
        begun, used = time.perf_counter(), time.process_time()
        factors = [torch.from_numpy(w.astype(np.float32)) for w in run["factors"]]
        rows, cols = torch.from_numpy(run["rows"]), torch.from_numpy(run["cols"])
        values = torch.from_numpy(run["values"].astype(np.float32))
        with torch.inference_mode():
            iterations, matrix = descend(factors, rows, cols, values)
        seconds = time.perf_counter() - begun
        cpu = time.process_time() - used
        error = float(np.mean((matrix.numpy() - run["target"]) ** 2))
        report = {"seconds": seconds, "cpu_seconds": cpu, "iterations": iterations}
        print(json.dumps(report | {"error": error, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
