"""Studies of razin2020: norms that diverge while the rank falls."""

from lowrankflow.studies.razin2020.norms import Norms as Norms
