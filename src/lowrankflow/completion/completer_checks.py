"""The settings of a completer, once they are known to make sense."""

import numbers
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Int
from sklearn.utils import check_random_state

from lowrankflow.completion.candidates.bases import KINDS, Kind
from lowrankflow.completion.candidates.plan import METHODS
from lowrankflow.completion.validation import SCHEMES, Scheme
from lowrankflow.errors import DataError, SpecError
from lowrankflow.problems import Numbers, checked_index, real_number

_NAME = "MatrixCompleter"


@dataclass(frozen=True, kw_only=True)
class CompleterSettings:
    """What a completer was asked for.

    Args:
        methods: to be compared.
        is_auto: whether they were not asked for by name.
        depth: of the flow, or None.
        init_scale: of the flow, or None.
        max_rank: or None.
        penalty: or None.
        effects: "auto" or a kind.
        scale: "auto", "columns" or None.
        validation: share kept aside.
        validation_scheme: how.
        refit: whether the winner is fitted again.
        clip: bounds, or None.
        seed: of all that is random.
    """

    methods: tuple[str, ...]
    is_auto: bool
    depth: int | None
    init_scale: float | None
    max_rank: int | None
    penalty: float | None
    effects: Literal["auto"] | Kind
    scale: str | None
    validation: float
    validation_scheme: Scheme
    refit: bool
    clip: tuple[float, float] | None
    seed: int


def checked_settings(given: dict[str, Any]) -> CompleterSettings:
    """The settings, checked.

    Args:
        given: the parameters of the estimator, by name.

    Raises:
        SpecError: when one is out of its range; the message says which.
    """
    method = given["method"]
    is_auto = method == "auto"
    methods = METHODS if is_auto else method
    methods = (methods,) if isinstance(methods, str) else tuple(methods)
    wrong = [one for one in methods if one not in METHODS]
    if wrong or not methods:
        known = ", ".join(map(repr, METHODS))
        raise _error(
            "method",
            rule=f'it is "auto", one of {known}, or a tuple of these',
            got=f"{method!r}",
            fix='Give method="auto"',
        )
    _one_of("effects", given["effects"], ("auto", *KINDS))
    _one_of("scale", given["scale"], ("auto", "columns", None))
    _one_of("validation_scheme", given["validation_scheme"], SCHEMES)
    validation = real_number(given["validation"])
    if not 0 <= validation < 1:
        raise _error(
            "validation",
            rule="it is the share of the known entries to keep aside, in [0, 1)",
            got=f"{given['validation']!r}",
            fix="Give validation=0.1, or 0 to keep none aside",
        )
    return CompleterSettings(
        methods=methods,
        is_auto=is_auto,
        depth=_whole("depth", given["depth"], 2),
        init_scale=_positive("init_scale", given["init_scale"], zero=False),
        max_rank=_whole("max_rank", given["max_rank"], 1),
        penalty=_positive("penalty", given["penalty"], zero=True),
        effects=given["effects"],
        scale=given["scale"],
        validation=validation,
        validation_scheme=given["validation_scheme"],
        refit=bool(given["refit"]),
        clip=_bounds(given["clip"]),
        seed=_seed(given["random_state"]),
    )


def checked_cells(
    rows: Numbers, cols: Numbers, shape: tuple[int, int]
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Positions of cells, in range and of one length.

    Raises:
        DataError: when they are not.
    """
    where = f"{_NAME}.predict"
    row_index = checked_index(f"{where}(rows)", np.atleast_1d(rows), shape[0])
    col_index = checked_index(f"{where}(cols)", np.atleast_1d(cols), shape[1])
    if row_index.size != col_index.size:
        raise DataError(
            where=f"{where}(rows, cols)",
            rule="there is one column for each row",
            got=f"lengths {row_index.size} and {col_index.size}",
            fix="Give pairs: cell k is at (rows[k], cols[k])",
        )
    return row_index, col_index


def _error(name: str, *, rule: str, got: str, fix: str) -> SpecError:
    return SpecError(where=f"{_NAME}({name})", rule=rule, got=got, fix=fix)


def _one_of(name: str, value: object, known: tuple) -> None:
    if not any(value is one or value == one for one in known):
        raise _error(
            name,
            rule=f"it is one of {', '.join(map(repr, known))}",
            got=f"{value!r}"[:200],
            fix=f"Give {name}={known[0]!r}",
        )


def _whole(name: str, value: object, least: int) -> int | None:
    if value is None:
        return None
    fits = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not fits or int(value) < least:  # pyright: ignore[reportArgumentType]
        raise _error(
            name,
            rule=f"it is an integer from {least} on, or None to have it chosen",
            got=f"{value!r}"[:200],
            fix=f"Give {name}={least + 1}, or leave it out",
        )
    return int(value)  # pyright: ignore[reportArgumentType]


def _positive(name: str, value: float | None, *, zero: bool) -> float | None:
    if value is None:
        return None
    number = real_number(value)
    if not (0 < number < np.inf or (zero and number == 0)):
        raise _error(
            name,
            rule=f"it is a finite number {'>= 0' if zero else '> 0'}, or None to have "
            "it chosen",
            got=f"{value!r}"[:200],
            fix="Leave it out",
        )
    return number


def _bounds(clip: object) -> tuple[float, float] | None:
    if clip is None:
        return None
    try:
        low, high = (real_number(end) for end in clip)  # pyright: ignore
    except (TypeError, ValueError):
        low = high = np.nan
    if not low < high:
        raise _error(
            "clip",
            rule="it is a pair (low, high) with low < high, or None",
            got=f"{clip!r}"[:200],
            fix="Give for example clip=(1, 5)",
        )
    return low, high


def _seed(random_state: object) -> int:
    if isinstance(random_state, numbers.Integral) and int(random_state) >= 0:
        return int(random_state)
    try:
        return int(check_random_state(random_state).randint(2**31 - 1))
    except ValueError:
        raise _error(
            "random_state",
            rule="it is an integer from 0 to 2^32 - 1, a NumPy RandomState, or None",
            got=f"{random_state!r}"[:200],
            fix="Give random_state=0",
        ) from None
