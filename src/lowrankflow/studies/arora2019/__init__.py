"""Studies of arora2019: deep matrix factorization."""

from lowrankflow.studies.arora2019.corollary1 import Corollary1 as Corollary1
from lowrankflow.studies.arora2019.figure1 import Figure1 as Figure1
from lowrankflow.studies.arora2019.figure2 import Figure2 as Figure2
from lowrankflow.studies.arora2019.figure3 import Figure3 as Figure3
from lowrankflow.studies.arora2019.figure3_sensing import (
    Figure3Sensing as Figure3Sensing,
)
from lowrankflow.studies.arora2019.lemma1 import Lemma1 as Lemma1
from lowrankflow.studies.arora2019.lemma2 import Lemma2 as Lemma2
from lowrankflow.studies.arora2019.notebook import Completion as Completion
from lowrankflow.studies.arora2019.proposition1 import Proposition1 as Proposition1
from lowrankflow.studies.arora2019.single_measurement import (
    SingleMeasurement as SingleMeasurement,
)
from lowrankflow.studies.arora2019.theorem2 import Theorem2 as Theorem2
from lowrankflow.studies.arora2019.theorem3 import Theorem3 as Theorem3
from lowrankflow.studies.arora2019.which_norm import WhichNorm as WhichNorm
