"""Where numbers come from: the attributes of many runs, put together."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence


def provenance(runs: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Totals over runs, as plain data.

    Args:
        runs: the attributes of each, as the store keeps them: wall_time_seconds,
            peak_memory_bytes, versions, machine and seeds (mappings, or their JSON),
            dtype, result, digest and data_fingerprint. Any may be absent.

    Returns:
        num_runs; wall_seconds (sum) and peak_memory_bytes (largest), None where no run
        says them; versions, each with all values met; machines, seeds, dtypes,
        fingerprints; results with their counts; digests.
    """
    versions: dict[str, list[str]] = {}
    for run in runs:
        for name, version in _mapping(run.get("versions")).items():
            known = versions.setdefault(str(name), [])
            if str(version) not in known:
                known.append(str(version))
    times = _numbers(runs, "wall_time_seconds")
    seeds = {s for run in runs for s in _mapping(run.get("seeds")).values()}
    results = Counter(_texts(runs, "result"))
    return {
        "num_runs": len(runs),
        "wall_seconds": sum(times) if times else None,
        "peak_memory_bytes": max(_numbers(runs, "peak_memory_bytes"), default=None),
        "versions": dict(sorted(versions.items())),
        "machines": sorted({_words(text) for text in _texts(runs, "machine")}),
        "seeds": sorted(seed for seed in seeds if isinstance(seed, int)),
        "dtypes": sorted(set(_texts(runs, "dtype"))),
        "fingerprints": sorted(set(_texts(runs, "data_fingerprint"))),
        "results": dict(sorted(results.items())),
        "digests": _texts(runs, "digest"),
    }


def _numbers(runs: Sequence[Mapping[str, object]], name: str) -> list[float]:
    return [float(str(run[name])) for run in runs if run.get(name) not in (None, "")]


def _texts(runs: Sequence[Mapping[str, object]], name: str) -> list[str]:
    values = [run[name] for run in runs if run.get(name)]
    return [v if isinstance(v, str) else json.dumps(v) for v in values]


def _mapping(value: object) -> Mapping[object, object]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return {}
    return value if isinstance(value, Mapping) else {}


def _words(value: object) -> str:
    parts = _mapping(value)
    named = [f"{str(name).replace('_', ' ')} {part}" for name, part in parts.items()]
    return ", ".join(named) or str(value)
