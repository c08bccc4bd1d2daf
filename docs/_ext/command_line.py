"""The verbs of `lowrankflow`, from what the command itself says with `--help`."""

import inspect
import re
from collections.abc import Iterator

import click
import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class CommandLine(SphinxDirective):
    """One section per verb: how it is called, what it does, its options."""

    def run(self) -> list[nodes.Node]:
        """The sections; the exit codes come last."""
        from lowrankflow.cli import app

        command = typer.main.get_command(app)
        found = [_verb(words, verb) for words, verb in _verbs(["lowrankflow"], command)]
        return [*found, _paragraph(command.epilog or "")]


def _verbs(
    words: list[str], command: click.Command
) -> Iterator[tuple[list[str], click.Command]]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        yield words, command
        return
    for name, verb in subcommands.items():
        yield from _verbs([*words, name], verb)


def _verb(words: list[str], command: click.Command) -> nodes.section:
    name = " ".join(words)
    short = " ".join(words[1:])
    title = nodes.title("", "", nodes.literal("", short))
    section = nodes.section("", title, ids=[short.replace(" ", "-")], names=[short])
    context = click.Context(command, info_name=name)
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = "[OPTIONS]" if len(command.params) > len(arguments) else ""
    pieces = [name, *(p.metavar or p.human_readable_name for p in arguments), options]
    usage = " ".join(piece for piece in pieces if piece)
    section += nodes.literal_block(usage, usage, language="text")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        section += _paragraph(paragraph)
    listed = nodes.definition_list(classes=["options"])
    for parameter in command.params:
        record = parameter.get_help_record(context) or ("", "")
        written, meaning = (re.sub(r"\s+", " ", part) for part in record)
        if isinstance(parameter, click.Argument):
            written = parameter.metavar or parameter.human_readable_name
            meaning = meaning or getattr(parameter, "help", "") or ""
        written = re.sub(r"<(\w+)[^>]*>", lambda kind: kind[1].upper(), written)
        meaning = re.sub(r"\[x>=(\d+)\]", r"[at least \1]", meaning)
        term = nodes.term("", "", nodes.literal("", written))
        inner = nodes.definition("", _paragraph(meaning))
        listed += nodes.definition_list_item("", term, inner)
    if len(listed):
        section += listed
    return section


def _paragraph(text: str) -> nodes.paragraph:
    """Plain text, with what stands in backquotes as code."""
    paragraph = nodes.paragraph()
    for place, part in enumerate(re.split(r"`([^`]+)`", re.sub(r"\s+", " ", text))):
        paragraph += nodes.literal("", part) if place % 2 else nodes.Text(part)
    return paragraph


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
