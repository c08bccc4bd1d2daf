"""What the caller can have done wrong, said in four parts.

Three kinds of failure exist in this library. The caller's mistake raises one of the
errors below, where the mistake enters. The outcome of a run (it diverged, it stalled)
is never an error: it is a `lowrankflow.Result`. A broken promise of our own is an
`assert`.
"""


class LowRankFlowError(ValueError):
    """A mistake of the caller, with where it is, the rule, what was got, what to do.

    Args:
        where: the object and argument concerned, as the caller wrote it.
        rule: what must hold, as a sentence without a full stop.
        got: the value, shape or position found.
        fix: the usual remedy, as something to type where that is possible.
    """

    def __init__(self, *, where: str, rule: str, got: str, fix: str):
        self.where = where
        self.rule = rule
        self.got = got
        self.fix = fix
        super().__init__(f"`{where}`: {rule}. Got {got}. {fix}.")

    def __reduce__(self):
        parts = {k: getattr(self, k) for k in ("where", "rule", "got", "fix")}
        return _rebuild, (type(self), parts)


def _rebuild(kind: type[LowRankFlowError], parts: dict[str, str]) -> LowRankFlowError:
    return kind(**parts)


class DataError(LowRankFlowError):
    """The data handed in cannot be used: a shape, a value, an index."""


class DataTypeError(DataError, TypeError):
    """The data handed in hold something that is no number at all."""


class SpecError(LowRankFlowError):
    """The settings handed in make no sense, alone or together."""


class StoreError(LowRankFlowError):
    """Results on disk are missing, damaged, foreign or newer than this library."""


class PrecisionWarning(UserWarning):
    """The answer may not mean what you think, because of rounding."""
