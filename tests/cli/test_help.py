"""Every command explains itself: what it does, and an example that can be typed as it stands."""

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from dispatcher.cli import cli


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command that does something, with the words it is called by."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


EVERY = list(commands())
IDS = [" ".join(path) for path, _ in EVERY]
RUNS_ON = {("run",), ("web",), ("work",), ("desk",)}
"""The commands that have no result to print: they go on until they are stopped."""


def help_of(*path: str) -> str:
    """Return what `--help` prints after these words, eighty columns wide."""
    asked = CliRunner().invoke(cli, [*path, "--help"], terminal_width=80)
    assert asked.exit_code == 0
    return asked.output


def examples(text: str) -> list[str]:
    """Return the command lines of the example in a help text, one a line."""
    lines = text.partition("  Example:\n")[2].split("\n\n")[0].splitlines()
    return [line.strip() for line in lines]


def parse(words: list[str]) -> click.Context:
    """Read a command line as the program does, to its last word, without doing anything."""
    context = cli.make_context("dispatcher", list(words))
    command: click.Command = cli
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found
        context = command.make_context(name, rest, parent=context)
    return context


@pytest.mark.parametrize(("path", "command"), EVERY, ids=IDS)
def test_the_example_can_be_typed(path: tuple[str, ...], command: click.Command) -> None:
    """Each line of each example stands on a line of its own, begins with `dispatcher`, and parses to that command."""
    lines = examples(help_of(*path))
    assert lines, f"{' '.join(path)} has no example"
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "dispatcher", line
        assert parse(words).command is command, line


@pytest.mark.parametrize(("path", "command"), EVERY, ids=IDS)
def test_every_command_has_a_sentence(path: tuple[str, ...], command: click.Command) -> None:
    """A command says in a sentence what it does."""
    sentence = (command.help or "").strip().partition("\n")[0]
    assert sentence[:1].isupper(), path
    assert len(sentence) > 10, path


@pytest.mark.parametrize(("path", "command"), EVERY, ids=IDS)
def test_every_result_can_be_had_as_json(path: tuple[str, ...], command: click.Command) -> None:
    """Whatever prints a result can print it as one JSON object; what runs on has none."""
    options = {option for parameter in command.params for option in parameter.opts}
    assert ("--json" in options) is (path not in RUNS_ON)


def test_the_first_example_can_be_typed() -> None:
    """The first steps that `dispatcher --help` shows are command lines that parse."""
    typed = [part.strip() for line in examples(help_of()) for part in line.split("&&")]
    steps = [shlex.split(step)[1:] for step in typed if step.startswith("dispatcher ")]
    assert [parse(words).command_path.split()[1:] for words in steps] == [
        ["init"],
        ["client", "import"],
        ["campaign", "schedule"],
        ["run"],
    ]
