"""A result as one self-describing NetCDF file, and what can be wrong with a file.

Any tool that reads NetCDF 4 can open it. A checksum of the content is among its
attributes, and one of the whole file in its last line, which HDF5 passes over: a file
that was changed, cut or mixed up is told from a good one, and the HDF5 library never
sees bytes that were damaged after they were written.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from lowrankflow.errors import StoreError
from lowrankflow.store.files import disk_errors

if TYPE_CHECKING:
    import xarray

FORMAT = "lowrankflow result"
FORMAT_VERSION = 1

Fault: TypeAlias = Literal["damaged", "foreign", "newer", "misplaced"]
_SEAL = b"\nlowrankflow sha256 "
# What xarray would make of the numbers is left alone: they are kept as they are.
_AS_STORED = {"mask_and_scale": False, "decode_times": False}


def to_bytes(dataset: "xarray.Dataset") -> bytes:
    """The NetCDF file of a dataset, with format and checksum among its attributes.

    Args:
        dataset: of float64 and int64 variables, with text and numbers for attributes.
    """
    marked = dataset.assign_attrs(format=FORMAT, format_version=FORMAT_VERSION)
    marked = marked.assign_attrs(checksum=checksum(marked))
    plain = {name: {"_FillValue": None} for name in marked.variables}
    content = bytes(marked.to_netcdf(None, engine="h5netcdf", encoding=plain))
    return content + _SEAL + hashlib.sha256(content).hexdigest().encode()


def read_result(path: Path, digest: str) -> "xarray.Dataset":
    """The dataset in a file, once it is certain that it is the result of this digest.

    Raises:
        StoreError: when the file cannot be read, is damaged, not of this library,
            written by a newer one, or the result of another job.
    """
    with disk_errors(path):
        content = path.read_bytes()
    dataset, fault, detail = examined(content, digest)
    if fault is not None:
        raise fault_error(path, fault, detail)
    return dataset


def examined(content: bytes, digest: str) -> tuple["xarray.Dataset", Fault | None, str]:
    """What a file contains, what is wrong with it (None if nothing), and the detail."""
    # xarray takes half a second to import; only results need it.
    import xarray

    whole, seal, signed = content.rpartition(_SEAL)
    if seal and hashlib.sha256(whole).hexdigest().encode() != signed:
        return xarray.Dataset(), "damaged", "a file that does not have its checksum"
    try:
        file = io.BytesIO(content)
        dataset = xarray.load_dataset(file, engine="h5netcdf", **_AS_STORED)
    except Exception as error:  # whatever HDF5 makes of bytes that are none of its own
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        return xarray.Dataset(), "damaged", f"{len(content)} bytes, {reason}"
    said = dataset.attrs
    if said.get("format") != FORMAT:
        return dataset, "foreign", f"the format {said.get('format')!r}"
    version = said.get("format_version")
    try:
        newer = int(version) > FORMAT_VERSION  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        return dataset, "damaged", f"the format version {version!r}"
    if newer:
        return dataset, "newer", f"format version {version}"
    if said.get("checksum") != checksum(dataset):
        return dataset, "damaged", "content that does not have its checksum"
    if said.get("digest") != digest:
        return dataset, "misplaced", f"the result {said.get('digest')!r}"
    return dataset, None, ""


def fault_error(path: Path, fault: Fault, detail: str) -> StoreError:
    """The error that says what is wrong with a file and what to do about it."""
    rule, fix = {
        "damaged": (
            "a result is a whole NetCDF file whose content has its checksum",
            "Delete it (`lowrankflow store prune` does) and run the same again",
        ),
        "foreign": (
            "the results in a store were written by lowrankflow",
            "Move it out of the store's folder, or give another folder",
        ),
        "newer": (
            f"this lowrankflow reads results up to format version {FORMAT_VERSION}",
            "Upgrade it: pip install --upgrade lowrankflow; or give another folder",
        ),
        "misplaced": (
            "the file of a result is named by its digest",
            "Give it back its name, or delete it and run the same again",
        ),
    }[fault]
    return StoreError(where=str(path), rule=rule, got=detail, fix=fix)


def checksum(dataset: "xarray.Dataset") -> str:
    """The SHA-256 of variables and attributes, but for the attribute `checksum`.

    Raises:
        KeyError: never for a dataset of this library.
    """
    total = hashlib.sha256()
    for name in sorted(str(name) for name in dataset.variables):
        variable = dataset.variables[name]
        array = np.asarray(variable.values)
        kind = array.dtype.newbyteorder("<").str
        head = [name, list(variable.dims), list(array.shape), kind]
        total.update(json.dumps(head).encode())
        total.update(np.ascontiguousarray(array, dtype=kind).tobytes())
    said = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in dataset.attrs.items()
        if name != "checksum"
    }
    total.update(json.dumps(said, sort_keys=True, default=repr).encode())
    return total.hexdigest()
