"""Tables for tests of completion: made here, small, with a known answer."""

import numpy as np


def planted(shape=(60, 40), rank=2, share=0.5, noise=0.0, seed=0, offset=0.0):
    """(truth, table with NaN) of a low-rank matrix of unit entries, plus an offset."""
    rng = np.random.default_rng(seed)
    left, right = (rng.standard_normal((size, rank)) for size in shape)
    truth = left @ right.T / np.sqrt(rank) + offset
    table = truth + noise * rng.standard_normal(shape)
    table[rng.random(shape) >= share] = np.nan
    return truth, table


def additive(shape=(40, 25), share=0.6, noise=0.1, seed=0):
    """(truth, table with NaN) of row and column effects and nothing else."""
    rng = np.random.default_rng(seed)
    truth = 3 + rng.standard_normal(shape[0])[:, None] + rng.standard_normal(shape[1])
    table = truth + noise * rng.standard_normal(shape)
    table[rng.random(shape) >= share] = np.nan
    return truth, table


def tastes(shape=(150, 80), share=0.6, noise=0.5, seed=5):
    """(truth, table with NaN) far from low rank, with effects: all methods err in it,
    each in its own way.
    """
    rng = np.random.default_rng(seed)
    one, other = (rng.standard_normal((size, 4)) for size in shape)
    truth = 4 * np.exp(-0.2 * np.square(one[:, None] - other).sum(axis=2))
    truth += 0.5 * rng.standard_normal((shape[0], 1))
    truth += 0.5 * rng.standard_normal(shape[1])
    table = truth + noise * rng.standard_normal(shape)
    table[rng.random(shape) < 1 - share] = np.nan
    return truth, table


def relative(found, truth):
    """||found - truth|| / ||truth||."""
    return np.linalg.norm(found - truth) / np.linalg.norm(truth)
