"""float64 where numbers are made, without touching JAX's global switch.

JAX computes in float32 unless told otherwise. Importing this library does not flip
that switch for the rest of a user's program. Data at rest are NumPy arrays, which are
float64 by themselves; every public call that makes numbers with JAX is wrapped in
`in_float64`, which turns the switch on for its own duration and thread only.

A JAX array that leaves such a call is float64 and stays float64, but JAX operations on
it outside of the call obey the caller's own switch. Use `numpy.asarray`, or
`with lowrankflow.float64():`, or `jax.config.update("jax_enable_x64", True)`.
"""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import ParamSpec, TypeVar

import jax

P = ParamSpec("P")
R = TypeVar("R")


def float64() -> AbstractContextManager[None]:
    """A context in which JAX makes float64 numbers, for this thread only.

    Returns:
        A context manager; on leaving it, JAX's switch is what it was.
    """
    return jax.enable_x64(True)


def in_float64(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, computing in float64 whatever JAX's global switch says."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with float64():
            return function(*args, **kwargs)

    return wrapped
