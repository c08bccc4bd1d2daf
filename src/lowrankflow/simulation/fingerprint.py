"""What a problem's numbers are, as one short text."""

import dataclasses
import hashlib
import json

import equinox as eqx
import jax
import numpy as np

from lowrankflow.errors import SpecError
from lowrankflow.problems import AbstractObjective

# What an array is turned into before it is hashed: little-endian, 64 bits.
_DTYPES = {"b": "|b1", "i": "<i8", "u": "<u8", "f": "<f8"}


def fingerprint(problem: AbstractObjective) -> str:
    """The SHA-256, in hexadecimal, of all that a problem is made of.

    Operator, measurements, loss, target, held-out measurements: their classes, fields
    and numbers. The same on machines of either byte order, for arrays of NumPy and of
    JAX, contiguous or not; another bit anywhere gives another fingerprint.

    Args:
        problem: one made of numbers; an `Objective` holds a function and has none.

    Raises:
        SpecError: when a part of it is a function.

    Exactness: exact.
    """
    total = hashlib.sha256()
    _add(total, "problem", problem)
    return total.hexdigest()


def _add(total: "hashlib._Hash", name: str, part: object) -> None:
    """A part and its name, its length before it, so that no two lists read the same."""
    if isinstance(part, eqx.Module):
        names = [field.name for field in dataclasses.fields(part)]
        _update(total, name, "module", json.dumps([type(part).__name__, *names]))
        for field in names:
            _add(total, field, getattr(part, field))
    elif isinstance(part, (np.ndarray, np.generic, jax.Array)):
        array = np.asarray(part)
        exact = np.ascontiguousarray(array, dtype=_DTYPES[array.dtype.kind])
        _update(total, name, "array", json.dumps([exact.dtype.kind, *array.shape]))
        total.update(exact.tobytes())
    elif isinstance(part, (tuple, list)):
        _update(total, name, "list", str(len(part)))
        for each in part:
            _add(total, name, each)
    elif part is None or isinstance(part, (bool, int, float, str)):
        _update(total, name, "value", repr(part))
    else:
        raise SpecError(
            where="fingerprint(problem)",
            rule="only a problem made of numbers has a fingerprint",
            got=f"{type(part).__name__} in its {name}",
            fix="Write it as a SensingProblem",
        )


def _update(total: "hashlib._Hash", *words: str) -> None:
    for word in words:
        text = word.encode()
        total.update(len(text).to_bytes(8, "little") + text)
