"""Random subsets of the measurements, a fresh one at each step.

The subset is a function of the seed and the iteration alone, so that a run continued
from a stored state draws what the uninterrupted run draws. The numbers come from a
generator written out below, because JAX's may change with its version and
the digest of a run must not.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt

from lowrankflow.seeds import generator

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def batch_seed(seed: int) -> UInt[Array, ""]:
    """The 64 bits from which all batches of a run follow.

    Raises:
        SpecError: when the seed is not a non-negative integer.
    """
    rng = generator(seed, "descent", "batches")
    return jnp.asarray(rng.integers(2**64, dtype=np.uint64))


def batch_weights(
    seed: UInt[Array, ""],
    iteration: Int[Array, ""],
    *,
    num_measurements: int,
    batch_size: int,
) -> Float[Array, " m"]:
    """Weights m / batch_size on a random subset of that size, zero elsewhere.

    Every measurement has weight 1 on average, so that the weighted gradient is that of
    the loss on average.

    Args:
        seed: of the run, from `batch_seed`.
        iteration: which batch.
        num_measurements: m.
        batch_size: how many of them, in 1...m.

    Exactness: uniform over the subsets but for a part of m / 2^64 at most.
    Cost: sorts m numbers.
    Source: steele2014 (SplitMix64, the generator).
    Differs: one stream for each iteration; the smallest numbers mark the subset.
    """
    start = _mixed(seed ^ _mixed(iteration.astype(jnp.uint64) + _GOLDEN))
    index = jnp.arange(num_measurements, dtype=jnp.uint64)
    draws = _mixed(start + (index + np.uint64(1)) * _GOLDEN)
    # The low bits hold the index: no two numbers are equal, and the count is exact.
    low = np.uint64(num_measurements.bit_length())
    draws = ((draws >> low) << low) | index
    threshold = jnp.sort(draws)[batch_size - 1]
    return jnp.where(draws <= threshold, num_measurements / batch_size, 0.0)


def _mixed(bits: UInt[Array, "..."]) -> UInt[Array, "..."]:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
