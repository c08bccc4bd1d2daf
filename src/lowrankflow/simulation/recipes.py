"""A problem as plain data: which builder, and its arguments."""

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache

import threadpoolctl

from lowrankflow import problems
from lowrankflow.errors import DataError, LowRankFlowError, SpecError
from lowrankflow.problems import AbstractObjective, SensingProblem, SensingScale
from lowrankflow.simulation.plain import (
    Plain,
    as_plain,
    canonical_json,
    fits,
    in_words,
)
from lowrankflow.simulation.symmetric_completion import symmetric_completion

_NO_PARAMETERS: Mapping[str, float] = types.MappingProxyType({})


class Recipe:
    """How to build a problem, as plain data: immutable, comparable, hashable.

    Args:
        kind: one of `recipe_kinds()`.
        arguments: of the builder of that kind, by name; lists for tuples, a recipe or
            its plain form where a builder is made from another problem. Those left out
            keep the builder's defaults, which are written out here, so that a recipe
            says all there is to say.

    Raises:
        SpecError: when the kind is unknown, an argument unknown, missing or of another
            type than the builder asks for.

    Exactness: exact; equal recipes build equal problems.
    """

    kind: str
    arguments: Mapping[str, Plain]
    _text: str

    def __init__(self, kind: str, arguments: Mapping[str, object] | None = None):
        signature = _signature(kind)
        given = {} if arguments is None else arguments
        checked = _checked(kind, signature, given)
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "arguments", types.MappingProxyType(checked))
        text = canonical_json({"kind": kind, **checked})
        object.__setattr__(self, "_text", text)

    def to_plain(self) -> dict[str, Plain]:
        """{"kind": ..., and the arguments by name}, all of them."""
        return {"kind": self.kind, **self.arguments}

    @staticmethod
    def from_plain(plain: object) -> "Recipe":
        """The recipe that `to_plain` made plain; arguments with defaults may be absent.

        Raises:
            SpecError: when it is no such thing.
        """
        plain = as_plain("Recipe.from_plain(plain)", plain)
        if not isinstance(plain, dict):
            raise SpecError(
                where="Recipe.from_plain(plain)",
                rule="a problem is a table with its kind and the arguments of that",
                got=f"{plain!r}"[:200],
                fix='Give for example {"kind": "named", "name": "li2021-4x4"}',
            )
        rest = {name: value for name, value in plain.items() if name != "kind"}
        return Recipe(plain.get("kind"), rest)  # pyright: ignore[reportArgumentType]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Recipe is immutable; build another with {name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Recipe({self.kind!r}, {dict(self.arguments)!r})"

    def __str__(self) -> str:
        shown = []
        for name, value in self.arguments.items():
            if isinstance(value, dict) and isinstance(value.get("kind"), str):
                shown.append(f"{name}={Recipe.from_plain(value)}")
            elif value != as_plain(name, _default(self.kind, name)):
                shown.append(f"{name}={_shortened(value)}")
        return f"{self.kind}({', '.join(shown)})"

    def __reduce__(self):
        return Recipe, (self.kind, dict(self.arguments))


def recipe_kinds() -> tuple[str, ...]:
    """The kinds of problems there are recipes for, sorted."""
    return tuple(sorted(_BUILDERS))


def build(recipe: Recipe) -> AbstractObjective:
    """The problem that a recipe describes.

    Products of matrices run on one thread here: with more, their last bits depend on
    how many there are, and a recipe is to build the same problem everywhere.

    Args:
        recipe: what to build.

    Raises:
        SpecError: when the builder refuses its arguments.
        DataError: when data that it reads cannot be had.

    Exactness: exact.
    """
    if not isinstance(recipe, Recipe):
        raise SpecError(
            where="build(recipe)",
            rule="a problem as plain data is a Recipe",
            got=f"{type(recipe).__name__}",
            fix='Give for example Recipe("named", {"name": "li2021-4x4"})',
        )
    try:
        with threadpoolctl.threadpool_limits(limits=1):
            return _BUILDERS[recipe.kind](**recipe.arguments)
    except LowRankFlowError:
        raise
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise SpecError(
            where=f"build({recipe})"[:300],
            rule=f"{recipe.kind} can be built from these arguments",
            got=f"{type(error).__name__}: {error}"[:300],
            fix="Compare them with the documentation of the builder of this kind",
        ) from error


def named_problem(
    *, name: str, parameters: Mapping[str, float] = _NO_PARAMETERS
) -> SensingProblem:
    """The problem of a named instance.

    Args:
        name: one of `named_instances()`.
        parameters: those of the instance to change, by name.

    Raises:
        SpecError: when the name or a parameter is unknown or out of its range.
    """
    return problems.named(name, parameters).problem


def symmetrized_problem(*, of: Recipe) -> SensingProblem:
    """The problem that looks only at the symmetric part of another's matrix.

    Raises:
        SpecError: when that is not square, or its target not symmetric.
    """
    return problems.symmetrized(_sensing("symmetrized", of))


def lifted_problem(*, of: Recipe) -> SensingProblem:
    """The p.s.d. problem of size rows + cols with the solutions of another."""
    return problems.lift(_sensing("lift", of))


def entries_problem(
    *,
    rows: tuple[int, ...],
    cols: tuple[int, ...],
    values: tuple[float, ...],
    shape: tuple[int, int],
    normalization: typing.Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """Complete a matrix from a list of its entries, written into the recipe itself.

    Args:
        rows: 0-based row of each entry.
        cols: 0-based column of each entry.
        values: the entries, finite.
        shape: (rows, cols) of the matrix.
        normalization: "sum" or "mean".

    Raises:
        DataError: when the lists do not go together.
    """
    lists = (list(rows), list(cols), list(values))
    return SensingProblem.from_entries(
        *lists,  # pyright: ignore[reportArgumentType]
        (shape[0], shape[1]),
        normalization=normalization,
    )


def power_law_psd_sensing(
    *,
    size: int,
    exponent: float,
    num_measurements: int,
    seed: int,
    scale: SensingScale,
    norm: float,
    normalization: typing.Literal["sum", "mean"] = "sum",
) -> SensingProblem:
    """Recover a p.s.d. matrix with eigenvalues k^-exponent from symmetric Gaussians.

    Args:
        size: rows and columns.
        exponent: of the eigenvalues, >= 0, see `problems.power_law_spectrum`.
        num_measurements: how many.
        seed: of eigenvectors and measurements, each drawn independently.
        scale: see `problems.symmetric_gaussian_sensing`.
        norm: Frobenius norm of the truth.
        normalization: "sum" or "mean".

    Raises:
        SpecError: when a number is out of range.
    """
    values = problems.power_law_spectrum(size, exponent=exponent, norm=norm)
    target = problems.orthogonal_psd_truth(size, eigenvalues=values, seed=seed)
    operator = problems.symmetric_gaussian_sensing(
        size, num_measurements=num_measurements, scale=scale, seed=seed
    )
    return problems.measure(target, operator, normalization=normalization)


def other_loss_problem(
    *, of: Recipe, loss: typing.Literal["huber", "power"], parameter: float
) -> SensingProblem:
    """The measurements of another problem with another loss.

    Args:
        of: the recipe of a sensing problem.
        loss: "huber" or "power".
        parameter: `delta` of `Huber`, `p` of `PNorm`.

    Raises:
        SpecError: when the parameter is out of the loss's range.
    """
    problem = _sensing("other_loss", of)
    chosen = problems.Huber if loss == "huber" else problems.PNorm
    return SensingProblem(
        problem.operator,
        problem.measurements,
        loss=chosen(parameter),
        normalization=problem.normalization,
        target=problem.target,
    )


_BUILDERS: dict[str, Callable[..., AbstractObjective]] = {
    "planted_completion": problems.planted_completion,
    "planted_completion_with_replacement": problems.planted_completion_with_replacement,
    "planted_psd_completion": problems.planted_psd_completion,
    "planted_sensing": problems.planted_sensing,
    "planted_psd_sensing": problems.planted_psd_sensing,
    "power_law_psd_sensing": power_law_psd_sensing,
    "ratings": problems.ratings_problem,
    "indian_pines": problems.indian_pines_problem,
    "nonnegative_least_squares": problems.nonnegative_least_squares,
    "named": named_problem,
    "other_loss": other_loss_problem,
    "symmetric_completion": symmetric_completion,
    "symmetrized": symmetrized_problem,
    "lift": lifted_problem,
    "entries": entries_problem,
}


def _sensing(kind: str, of: object) -> SensingProblem:
    problem = build(of if isinstance(of, Recipe) else Recipe.from_plain(of))
    if not isinstance(problem, SensingProblem):
        raise DataError(
            where=f"{kind}(of)",
            rule="it is made from linear measurements",
            got=type(problem).__name__,
            fix="Give a recipe of a SensingProblem",
        )
    return problem


@cache
def _parameters(kind: str) -> dict[str, tuple[object, object]]:
    """(annotation, default) of each parameter of a builder, by name."""
    builder = _BUILDERS[kind]
    hints = typing.get_type_hints(builder)
    return {
        name: (hints.get(name, object), parameter.default)
        for name, parameter in inspect.signature(builder).parameters.items()
    }


def _default(kind: str, name: str) -> object:
    default = _parameters(kind)[name][1]
    return None if default is inspect.Parameter.empty else default


def _shortened(value: Plain) -> str:
    text = str(value)
    return text if len(text) < 40 else f"({len(text)} characters)"


def _signature(kind: object) -> dict[str, tuple[object, object]]:
    if not isinstance(kind, str) or kind not in _BUILDERS:
        close = difflib.get_close_matches(str(kind), _BUILDERS, n=3, cutoff=0.4)
        wanted = " or ".join(repr(name) for name in close) or "'planted_completion'"
        raise SpecError(
            where="Recipe(kind)",
            rule=f"the kinds of problems are {', '.join(recipe_kinds())}",
            got=f"{kind!r}"[:200],
            fix=f"Did you mean {wanted}?" if close else f"Give for example {wanted}",
        )
    return _parameters(kind)


def _checked(
    kind: str,
    signature: dict[str, tuple[object, object]],
    arguments: Mapping[str, object],
) -> dict[str, Plain]:
    """The arguments as plain data, defaults filled in, in the builder's order."""
    where = f"Recipe({kind!r})"
    if not isinstance(arguments, Mapping):
        raise SpecError(
            where=f"{where}(arguments)",
            rule="the arguments of a recipe come by name",
            got=f"{arguments!r}"[:200],
            fix="Give a dictionary",
        )
    for name in arguments:
        if name not in signature:
            close = difflib.get_close_matches(str(name), signature, n=2)
            hint = " or ".join(repr(one) for one in close)
            raise SpecError(
                where=where,
                rule=f"its arguments are {', '.join(signature)}",
                got=f"the argument {name!r}"[:200],
                fix=f"Did you mean {hint}?" if close else "Leave it out",
            )
    checked: dict[str, Plain] = {}
    for name, (annotation, default) in signature.items():
        if name not in arguments:
            if default is inspect.Parameter.empty:
                raise SpecError(
                    where=where,
                    rule=f"it needs the argument {name!r}, {_asked(annotation)}",
                    got="none",
                    fix=f"Add {name!r} to its arguments",
                )
            checked[name] = as_plain(f"{where}({name})", default)
            continue
        value = arguments[name]
        if annotation is Recipe:
            inner = value if isinstance(value, Recipe) else Recipe.from_plain(value)
            checked[name] = inner.to_plain()
            continue
        plain = as_plain(f"{where}({name})", value)
        if not fits(plain, annotation):
            raise SpecError(
                where=f"{where}({name})",
                rule=f"this is {_asked(annotation)}",
                got=f"{value!r}"[:200],
                fix="Correct it",
            )
        checked[name] = plain
    return checked


def _asked(annotation: object) -> str:
    return "a problem's table" if annotation is Recipe else in_words(annotation)
