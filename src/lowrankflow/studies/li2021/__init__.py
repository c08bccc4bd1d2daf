"""Studies of li2021: greedy low-rank learning."""

from lowrankflow.studies.li2021.counterexample import Counterexample as Counterexample
