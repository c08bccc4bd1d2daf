"""The command line: one file per verb; nothing heavy is loaded until a verb runs."""

from lowrankflow.cli.app import app as app, main as main
