"""Studies of li2021: greedy low-rank learning."""

from lowrankflow.studies.li2021.basin import Basin as Basin
from lowrankflow.studies.li2021.counterexample import Counterexample as Counterexample
from lowrankflow.studies.li2021.escape import Escape as Escape
from lowrankflow.studies.li2021.figure1 import Figure1 as Figure1
from lowrankflow.studies.li2021.figure2 import Figure2 as Figure2
from lowrankflow.studies.li2021.figure5 import Figure5 as Figure5
from lowrankflow.studies.li2021.greedy_path import GreedyPaths as GreedyPaths
from lowrankflow.studies.li2021.recovery import Recovery as Recovery
from lowrankflow.studies.li2021.theorems import Theorems as Theorems
