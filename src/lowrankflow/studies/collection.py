"""The runs of a study, found by what was varied."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from jaxtyping import Float

from lowrankflow.errors import SpecError
from lowrankflow.studies.samples import Sample

if TYPE_CHECKING:
    import xarray

AxisValue: TypeAlias = str | int | float | bool
Axes: TypeAlias = Mapping[str, AxisValue]
Choice: TypeAlias = AxisValue | list[AxisValue] | tuple[AxisValue, ...]
SEED = "seed"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that was planned and did not come about.

    Args:
        axes: which one.
        reason: why, in a sentence.
    """

    axes: Axes
    reason: str

    def __str__(self) -> str:
        return f"{described(self.axes)}: {self.reason}"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """What one run recorded of one quantity.

    Args:
        seed: of the run; None when it has none.
        time: of the records, or another coordinate or variable asked for.
        values: the quantity; one row per record.
    """

    seed: int | None
    time: Float[np.ndarray, " records"]
    values: Float[np.ndarray, "records ..."]


class Collection:
    """Finished runs with their axes, and those that failed.

    Every planned run is in it once, as a dataset or as a failure. It is not changed
    after it was made.

    Args:
        runs: (axes, dataset) of each finished run.
        failures: the others.
    """

    def __init__(
        self,
        runs: Iterable[tuple[Axes, "xarray.Dataset"]],
        failures: Iterable[Failure] = (),
    ):
        self._runs = tuple((dict(axes), dataset) for axes, dataset in runs)
        self._failures = tuple(failures)
        # Selections that are empty still know which names are no mistake.
        self._names = {name for axes in self._all_axes() for name in axes}

    @property
    def runs(self) -> tuple[tuple[Axes, "xarray.Dataset"], ...]:
        """(axes, dataset) of each finished run."""
        return self._runs

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The runs that were planned and are not there."""
        return self._failures

    def __len__(self) -> int:
        return len(self._runs)

    def select(self, **axes: Choice) -> "Collection":
        """The runs with these values; a list or tuple means any of them.

        A run that has no such axis is not selected.

        Raises:
            SpecError: when no run at all has an axis of that name.
        """
        self._check_names(axes)
        part = Collection(
            [(a, dataset) for a, dataset in self._runs if _fits(a, axes)],
            [failure for failure in self._failures if _fits(failure.axes, axes)],
        )
        part._names = self._names
        return part

    def axis(self, name: str) -> list[AxisValue]:
        """The values of an axis, ascending, those of failed runs among them.

        Raises:
            SpecError: when no run has such an axis.
        """
        self._check_names([name])
        values = {axes[name] for axes in self._all_axes() if name in axes}
        return sorted(values, key=lambda value: (isinstance(value, str), value))

    def last(self, variable: str, **axes: Choice) -> Sample:
        """The last record of a quantity, one per seed.

        Args:
            variable: its name in the datasets; it may have no records, as those of a
                reference solution.
            axes: what fixes everything but the seed.

        Raises:
            SpecError: when something else than the seed varies, or the datasets have
                no such variable.
        """
        part = self._over_seeds(axes)
        rows, seeds = [], []
        for own, dataset in sorted(part._runs, key=lambda run: _seed(run[0]) or 0):
            values = _variable(dataset, variable)
            if "record" in values.dims:
                values = values.isel(record=-1)
            rows.append(np.asarray(values.values, float))
            seeds.append(_seed(own))
        missing = [str(failure) for failure in part._failures]
        if not rows and not missing:
            missing = [f"{described(axes)}: no such run was planned"]
        return Sample(
            values=np.array(rows, float), seeds=tuple(seeds), missing=tuple(missing)
        )

    def trajectory(
        self, variable: str, *, against: str = "time", **axes: Choice
    ) -> tuple[Trajectory, ...]:
        """All records of a quantity, one trajectory per seed that has a run.

        Args:
            variable: its name in the datasets.
            against: the coordinate or variable on the other axis.
            axes: what fixes everything but the seed.

        Raises:
            SpecError: as `last` does.
        """
        part = self._over_seeds(axes)
        return tuple(
            Trajectory(
                seed=_seed(own),
                time=np.asarray(_variable(dataset, against).values, float),
                values=np.asarray(_variable(dataset, variable).values, float),
            )
            for own, dataset in sorted(part._runs, key=lambda run: _seed(run[0]) or 0)
        )

    def _all_axes(self) -> list[Axes]:
        return [axes for axes, _ in self._runs] + [f.axes for f in self._failures]

    def _check_names(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._names and self._names:
                close = difflib.get_close_matches(name, self._names, n=1)
                raise SpecError(
                    where=f"Collection.select({name})",
                    rule="the runs' axes are " + ", ".join(sorted(self._names)),
                    got=f"{name!r}",
                    fix=f"Did you mean {close[0]!r}?" if close else "Correct the name",
                )

    def _over_seeds(self, axes: Mapping[str, Choice]) -> "Collection":
        part = self.select(**axes)
        others = {tuple(sorted(_without_seed(own).items())) for own in part._all_axes()}
        if len(others) > 1:
            varying = sorted(
                {
                    name
                    for name, _ in set.union(*map(set, others))
                    - set.intersection(*map(set, others))
                }
            )
            raise SpecError(
                where="Collection.last(axes)",
                rule="what is selected differs in the seed only",
                got=f"{len(others)} different runs, which vary in {', '.join(varying)}",
                fix=f"Fix it too, for example {varying[0]}=...",
            )
        return part


def described(axes: Mapping[str, object]) -> str:
    """Axes in words: depth 3, init_scale 0.001, seed 0."""
    return ", ".join(f"{name} {value}" for name, value in axes.items()) or "the run"


def _fits(own: Axes, wanted: Mapping[str, Choice]) -> bool:
    for name, choice in wanted.items():
        allowed = choice if isinstance(choice, list | tuple) else (choice,)
        if name not in own or own[name] not in allowed:
            return False
    return True


def _seed(axes: Axes) -> int | None:
    return int(axes[SEED]) if SEED in axes else None


def _without_seed(axes: Axes) -> dict[str, AxisValue]:
    return {name: value for name, value in axes.items() if name != SEED}


def _variable(dataset: "xarray.Dataset", name: str) -> "xarray.DataArray":
    if name not in dataset.variables:
        known = [str(known) for known in dataset.variables]
        close = difflib.get_close_matches(name, known, n=1)
        raise SpecError(
            where="Collection.last(variable)",
            rule="the run recorded " + ", ".join(sorted(known)),
            got=f"{name!r}",
            fix=f"Did you mean {close[0]!r}?" if close else "Correct the name",
        )
    return dataset[name]
