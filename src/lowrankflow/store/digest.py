"""One short name for all that decides a result: same digest, same numbers."""

import hashlib
from functools import lru_cache

from lowrankflow.simulation import (
    GridJob,
    Job,
    Recipe,
    build,
    canonical_json,
    fingerprint,
    job_to_plain,
)

# Raised when the digest itself is made in another way.
_SCHEME = 1
DTYPE = "float64"


def digest(job: Job) -> str:
    """The SHA-256, in hexadecimal, of all that decides a job's numbers.

    These are its canonical specification, the fingerprint of the data that its recipe
    builds, the dtype, and the numerics version of what computes it. Neither the number
    of workers, nor the machine, nor versions of libraries are in it; those are kept
    with the result.

    Args:
        job: a run or a reference solution.

    Raises:
        SpecError: when its problem cannot be built.
        DataError: when data that the problem needs cannot be had.

    Exactness: exact.
    Cost: builds the problem, once for each recipe.
    """
    said = {
        "scheme": _SCHEME,
        "job": job_to_plain(job),
        "data": job_fingerprint(job),
        "dtype": DTYPE,
        "numerics": job.numerics,
    }
    return hashlib.sha256(canonical_json(said).encode()).hexdigest()


def job_fingerprint(job: Job) -> str:
    """The fingerprint of the data that a job is about.

    Raises:
        SpecError: when its problem cannot be built.
        DataError: when data that it needs cannot be had.
    """
    if isinstance(job, GridJob):
        return job.data_fingerprint
    return data_fingerprint(job.problem)


@lru_cache(maxsize=4096)
def data_fingerprint(recipe: Recipe) -> str:
    """The fingerprint of the problem that a recipe builds, remembered.

    Raises:
        SpecError: when it cannot be built.
        DataError: when data that it needs cannot be had.
    """
    return fingerprint(build(recipe))
