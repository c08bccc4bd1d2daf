"""`lowrankflow certify`: complete a matrix with minimum nuclear norm, and prove it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lowrankflow.cli.console import print_json, remarks, results
from lowrankflow.cli.failures import DONE, NO_CERTIFICATE, load_library
from lowrankflow.cli.output import on_disk, writable_file
from lowrankflow.errors import SpecError

if TYPE_CHECKING:
    from lowrankflow.reference import Reference


def certify(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A table: .csv, .tsv, .txt, .parquet, .npy, .npz, .mtx. NaN, or in "
            "text an empty cell, NA or ?, was not observed.",
        ),
    ],
    psd: Annotated[
        bool, typer.Option("--psd", help="Over positive semidefinite matrices.")
    ] = False,
    gap: Annotated[
        float, typer.Option(help="The relative duality gap to be certified.")
    ] = 1e-8,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the completed table goes: .csv, .tsv, .parquet, .npy, .npz "
            "or .mtx.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document.")
    ] = False,
) -> int:
    """Complete a matrix with the minimum nuclear norm, with a certificate of it."""
    load_library()
    import dataclasses

    import numpy as np

    from lowrankflow.completion import (
        WRITTEN,
        FilledTable,
        check_output,
        located,
        read_table,
        write_table,
    )
    from lowrankflow.problems import SensingProblem
    from lowrankflow.reference import min_nuclear_norm

    table = read_table(file)
    with located(file):
        problem = SensingProblem.from_matrix(table.to_dense())
    rows, cols = problem.shape
    if psd and rows != cols:
        raise SpecError(
            where="--psd",
            rule="only a square matrix can be positive semidefinite",
            got=f"{rows} x {cols} in {file}",
            fix="Leave --psd out",
        )
    if not 0 < gap < float("inf"):
        raise SpecError(
            where="--gap",
            rule="the relative gap asked for is a positive number",
            got=f"{gap}",
            fix="Give for example --gap 1e-8",
        )
    if out is not None:
        out = writable_file("--out", out, WRITTEN)
        check_output(out, table.detected.form)
    observed = f"{problem.num_measurements} of {rows * cols} entries observed"
    with remarks().status(f"{rows} x {cols}, {observed}; solving"):
        reference = min_nuclear_norm(problem, psd=psd, gap_tolerance=gap)
    values = np.linalg.svd(reference.matrix, compute_uv=False)
    if reference.certificate.holds and reference.result.is_success:
        code = DONE
    else:
        code = NO_CERTIFICATE
    if out is not None and code == DONE:
        with on_disk("--out", out):
            out.parent.mkdir(parents=True, exist_ok=True)
            write_table(out, FilledTable.of_matrix(table, reference.matrix))
    if as_json:
        print_json(
            {
                "shape": [rows, cols],
                "num_observed": problem.num_measurements,
                "psd": psd,
                "result": reference.result.name,
                "certified": code == DONE,
                "certificate": dataclasses.asdict(reference.certificate),
                "sentence": str(reference.certificate),
                "singular_values": values.tolist(),
                "completed": None if out is None or code != DONE else str(out),
            }
        )
        return code
    console = results()
    console.print(f"{file}: {rows} x {cols}, {observed}.", soft_wrap=True)
    _explain(reference, values.tolist(), code == DONE)
    if out is not None:
        said = f"Completed matrix: {out}" if code == DONE else f"{out} was not written."
        console.print(said, soft_wrap=True)
    elif code == DONE:
        console.print("The completed matrix is kept with --out FILE.")
    return code


def _explain(reference: "Reference", values: list[float], is_certified: bool) -> None:
    from lowrankflow.reference import Certificate
    from lowrankflow.studies import readable

    console, certificate = results(), reference.certificate
    console.print(str(certificate), style="green" if is_certified else "yellow")
    if not is_certified:
        console.print(str(reference.result))
    if not isinstance(certificate, Certificate):
        return
    norm = "trace" if certificate.min_eigenvalue is not None else "nuclear norm"
    console.print(
        f"In words: no completion of these entries has a {norm} below "
        f"{certificate.lower_value:.10g}, and this one has "
        f"{certificate.upper_value:.10g}. The first number is the value of a dual "
        "variable, which was checked by a full singular value decomposition that knows "
        "nothing of the solver."
    )
    shown = ", ".join(readable(value) for value in values[:8])
    more = ", ..." if len(values) > 8 else ""
    console.print(f"Singular values of the completed matrix: {shown}{more}")
