"""Seeds that are explicit, and change only with what should change them."""

import hashlib
import operator

import numpy as np

from lowrankflow.errors import SpecError


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A random generator for one part of one run.

    The part's names are hashed with the seed, so that parts are independent of one
    another and of the order in which they draw: more measurements do not change the
    start, and a new part changes nothing that was there.

    Args:
        seed: the run's seed, >= 0.
        names: what the numbers are for, for example "start", "factor", 2.

    Returns:
        A NumPy generator; equal arguments give equal streams on every machine.

    Raises:
        SpecError: when the seed is not a non-negative integer.
    """
    text = "\x1f".join([str(checked_seed(seed)), *(str(name) for name in names)])
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def checked_seed(seed: int) -> int:
    """The seed as a Python int.

    Raises:
        SpecError: when it is not a non-negative integer.
    """
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0 or isinstance(seed, bool):
        raise SpecError(
            where="seed",
            rule="a seed is an integer >= 0",
            got=f"{seed!r}",
            fix="Give for example seed=0",
        )
    return number
