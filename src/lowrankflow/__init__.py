"""Which solution does gradient descent on a matrix factorization choose, and why?

Importing this package does not change JAX's settings. Numbers are made in float64:
every public call turns JAX's float64 switch on for its own duration, and
`lowrankflow.float64` does the same for your own code.

Nothing heavy is loaded until a name is asked for, so that the command line answers at
once. The names are listed in `public.py`.
"""

import importlib.util
from typing import TYPE_CHECKING

from lowrankflow.version import __version__ as __version__

if TYPE_CHECKING:
    from lowrankflow import (
        completion as completion,
        dynamics as dynamics,
        factorizations as factorizations,
        metrics as metrics,
        problems as problems,
        reference as reference,
        simulation as simulation,
        store as store,
        studies as studies,
        sweeps as sweeps,
    )
    from lowrankflow.public import *  # noqa: F403

_FOLDERS = (
    "completion",
    "dynamics",
    "factorizations",
    "metrics",
    "problems",
    "reference",
    "simulation",
    "store",
    "studies",
    "sweeps",
)


def __getattr__(name: str) -> object:
    """A module, or a public name: the first of those asked for loads them all."""
    if name == "__all__":
        return [*_FOLDERS, *_public()]
    if not name.startswith("_"):
        if importlib.util.find_spec(f"{__name__}.{name}") is not None:
            return importlib.import_module(f"{__name__}.{name}")
        globals().update(_public())
        if name in globals():
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    own = [name for name in globals() if name.startswith("__")]
    return sorted({*own, *_FOLDERS, *_public()})


def _public() -> dict[str, object]:
    module = importlib.import_module(f"{__name__}.public")
    return {
        name: thing for name, thing in vars(module).items() if not name.startswith("_")
    }
