"""Studies found by their names."""

import dataclasses
import difflib
from collections.abc import Iterator, Sequence

from lowrankflow.errors import SpecError
from lowrankflow.studies.papers import PAPERS
from lowrankflow.studies.study import PROFILES, AbstractStudy


@dataclasses.dataclass(frozen=True)
class Registry:
    """All studies, in the order in which they are run and reported.

    Args:
        studies: with different keys, whose first part is a paper's key.
    """

    studies: tuple[AbstractStudy, ...]

    def __post_init__(self):
        keys = [study.key for study in self.studies]
        assert len(set(keys)) == len(keys), f"a key occurs twice in {keys}"
        for study in self.studies:
            paper, _, place = study.key.partition("/")
            assert paper in PAPERS, f"{study.key}: no such paper"
            assert place, f"{study.key}: no place in the paper"
            assert tuple(study.profiles) == PROFILES, f"{study.key}: profiles"
            named = [statement.key for statement in study.statements]
            assert len(set(named)) == len(named), f"{study.key}: statements {named}"

    def __iter__(self) -> Iterator[AbstractStudy]:
        return iter(self.studies)

    def __len__(self) -> int:
        return len(self.studies)

    def find(self, names: Sequence[str] = ()) -> tuple[AbstractStudy, ...]:
        """The studies with these names, in the registry's order, each once.

        Args:
            names: keys of studies, or of papers for all of theirs; none for all.

        Raises:
            SpecError: when a name is neither; the message has the nearest names.
        """
        wanted = {study.key for name in names for study in self._named(name)}
        return tuple(s for s in self.studies if not names or s.key in wanted)

    def _named(self, name: str) -> list[AbstractStudy]:
        found = [s for s in self.studies if name in (s.key, s.paper.key)]
        if found:
            return found
        keys = [study.key for study in self.studies]
        papers = list(dict.fromkeys(study.paper.key for study in self.studies))
        # "figure2" alone is near to "arora2019/figure2" for a person.
        ends = [key for key in keys if key.partition("/")[2] == name]
        close = ends or difflib.get_close_matches(name, keys + papers, n=3)
        said = " or ".join(repr(key) for key in close)
        raise SpecError(
            where="STUDY",
            rule="a study is named by its key or its paper: "
            + (", ".join(papers + keys) or "there is none yet"),
            got=f"{name!r}",
            fix=f"Did you mean {said}?" if close else "List them with `studies`",
        )
