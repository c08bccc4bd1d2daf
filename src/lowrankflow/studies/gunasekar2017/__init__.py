"""Studies of gunasekar2017: descent on U U' and the nuclear norm."""

from lowrankflow.studies.gunasekar2017.controls import Controls as Controls
from lowrankflow.studies.gunasekar2017.corollary2 import Corollary2 as Corollary2
from lowrankflow.studies.gunasekar2017.figure1 import Figure1 as Figure1
from lowrankflow.studies.gunasekar2017.figure2 import Figure2 as Figure2
from lowrankflow.studies.gunasekar2017.figure3 import Figure3 as Figure3
from lowrankflow.studies.gunasekar2017.figure4 import Figure4 as Figure4
from lowrankflow.studies.gunasekar2017.theorem1 import Theorem1 as Theorem1
from lowrankflow.studies.gunasekar2017.warmup import Warmup as Warmup
