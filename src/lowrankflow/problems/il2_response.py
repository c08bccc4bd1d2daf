"""Responses of cells to variants of interleukin 2: doses by times and cells."""

import os

import numpy as np

from lowrankflow.errors import DataError
from lowrankflow.problems.published_table import (
    PublishedTable,
    product_labels,
    published_array,
    read_array,
)

IL2_SHA256 = "97232ea87bbac01bd0a9b589be85604c2549486592d88bc7ccc4f0d8079a4096"
IL2_LICENCE = (
    "Responses to IL-2 muteins: copyright 2021 The Regents of the University of "
    "California, under the MIT licence. They are not part of this library or of its "
    "results. Cite B. Orcutt-Jahns, P. C. Emmel, E. M. Snyder, C. Posner, S. M. "
    "Carlson and A. S. Meyer, Multivalency enhances the specificity of Fc-cytokine "
    "fusions, bioRxiv, 2021."
)
LIGANDS = (
    "IL2 (Mono)",
    "IL15 (Mono)",
    "WT N-term (Biv)",
    "H16N N-term (Biv)",
    "R38Q N-term (Biv)",
    "R38Q/H16N (Biv)",
    "WT N-term (Mono)",
    "H16N N-term (Mono)",
    "WT C-term (Mono)",
    "V91K C-term (Mono)",
    "R38Q N-term (Mono)",
    "F42Q N-Term (Mono)",
    "N88D C-term (Mono)",
)
TIMES = ("4 h", "2 h", "1 h", "0.5 h")
CELLS = (
    "Treg IL2Ra_hi",
    "Treg",
    "Treg IL2Ra_lo",
    "Thelper IL2Ra_hi",
    "Thelper",
    "Thelper IL2Ra_lo",
    "CD8+",
    "NK",
)
_DOSES = tuple(f"{dose:.3g} nM" for dose in np.geomspace(84.0, 0.000474, 12))
_SHAPE = (len(LIGANDS), len(TIMES), len(_DOSES), len(CELLS))
_WHERE = "load_il2_response(path)"


def load_il2_response(
    path: str | os.PathLike[str] | None = None,
    *,
    sha256: str | None = IL2_SHA256,
) -> PublishedTable:
    """156 doses (13 ligands x 12 concentrations) x 32 answers (4 times x 8 cells).

    Values lie in [0, 1], as published. Of two ligands the last time was never
    measured: a block of 24 rows x 8 columns, 3.8 % of all, is NaN.

    Args:
        path: the file IL2_Response_Tensor.npy, or a folder with it. Without it:
            LOWRANKFLOW_IL2, then the cache, then a download into the cache.
        sha256: what the sha256 of the numbers must be; None accepts any of this shape.

    Raises:
        DataError: when it cannot be had, is damaged or has another sha256.

    Exactness: exact.
    Cost: milliseconds; the first download is 7 MB.
    """
    array, found = read_array(_FILE, path, num_axes=4, sha256=sha256)
    if array.shape != _SHAPE:
        raise DataError(
            where=_WHERE,
            rule=f"the array is ligands x times x doses x cells, {_SHAPE}",
            got=f"shape {array.shape}",
            fix="Get the file again",
        )
    rows = len(LIGANDS) * len(_DOSES)
    return PublishedTable(
        values=array.transpose(0, 2, 1, 3).reshape(rows, -1),
        row_labels=product_labels(LIGANDS, _DOSES),
        col_labels=product_labels(TIMES, CELLS),
        unit="",
        fingerprint=f"sha256:{found}",
        licence=IL2_LICENCE,
    )


_FILE = published_array(
    where=_WHERE,
    what="the responses to IL-2",
    name="IL2_Response_Tensor.npy",
    folder="il2-response",
    path_variable="LOWRANKFLOW_IL2",
    sha256=IL2_SHA256,
    by_hand="Take IL2_Response_Tensor.npy out of any copy of tensorly and set "
    "LOWRANKFLOW_IL2 to its path",
)
