"""Kinetic fluorescence of catecholamines: spectra that follow one another in time."""

import os

import numpy as np

from lowrankflow.errors import DataError
from lowrankflow.problems.published_table import (
    PublishedTable,
    product_labels,
    published_array,
    read_array,
)

FLUORESCENCE_SHA256 = "c88e041e0aa5dd5c80228db049aa4ab5669aac583fb7b552fcce761483ae56a7"
FLUORESCENCE_LICENCE = (
    "Kinetic fluorescence of catecholamines, from the data pages of Quality and "
    "Technology, University of Copenhagen: available for public use, as is, its source "
    "to be named. It is not part of this library or of its results. Cite R. P. H. "
    "Nikolajsen, K. S. Booksh, A. M. Hansen and R. Bro, Quantifying catecholamines "
    "using multi-way kinetic modelling, Analytica Chimica Acta 475(1-2), 137-150, 2003."
)
_WHERE = "load_fluorescence(path)"
_SHAPE = (64, 12, 10, 60)
# Zeros of the file that were measured; every other one stands for nothing measured,
# as the list of missing positions published with it says.
_MEASURED_ZEROS = ((12, 10, 9, 0), (28, 10, 9, 5))


def load_fluorescence(
    path: str | os.PathLike[str] | None = None,
    *,
    sha256: str | None = FLUORESCENCE_SHA256,
) -> PublishedTable:
    """3,840 spectra (64 experiments x 60 times) of 120 pairs of wavelengths each.

    A column is a wavelength of emission with one of excitation; the values are the
    raw intensities. 1,754 of them, 0.38 %, were never measured and are NaN: most of
    them the last 13 times of experiment 28.

    Args:
        path: the file Kinetic.npy, or a folder with it. Without it:
            LOWRANKFLOW_FLUORESCENCE, then the cache, then a download into the cache.
        sha256: what the sha256 of the numbers must be; None accepts any of this shape.

    Raises:
        DataError: when it cannot be had, is damaged or has another sha256.

    Exactness: exact.
    Cost: a tenth of a second and 8 MB; the first download is 7 MB.
    Differs: the file has zeros where nothing was measured, NaN here.
    """
    array, found = read_array(_FILE, path, num_axes=4, sha256=sha256)
    if array.shape != _SHAPE:
        raise DataError(
            where=_WHERE,
            rule=f"the array is experiments x emission x excitation x times, {_SHAPE}",
            got=f"shape {array.shape}",
            fix="Get the file again",
        )
    missing = array == 0
    missing[tuple(np.transpose(_MEASURED_ZEROS))] = False
    array[missing] = np.nan
    experiments = [f"experiment {number}" for number in range(1, 65)]
    times = [f"{number / 3:.2f} min" for number in range(1, 61)]
    emission = [f"{472 + 7.5 * step:g} nm out" for step in range(12)]
    excitation = [f"{362 + 6 * step} nm in" for step in range(10)]
    return PublishedTable(
        values=array.transpose(0, 3, 1, 2).reshape(64 * 60, -1),
        row_labels=product_labels(experiments, times),
        col_labels=product_labels(emission, excitation),
        unit="intensity",
        fingerprint=f"sha256:{found}",
        licence=FLUORESCENCE_LICENCE,
    )


_FILE = published_array(
    where=_WHERE,
    what="the fluorescence spectra",
    name="Kinetic.npy",
    folder="fluorescence",
    path_variable="LOWRANKFLOW_FLUORESCENCE",
    sha256=FLUORESCENCE_SHA256,
    by_hand="Take Kinetic.npy out of any copy of tensorly and set "
    "LOWRANKFLOW_FLUORESCENCE to its path",
)
