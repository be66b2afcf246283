"""`dispatcher audit why` and `audit sample`: one client's story, and a few messages with everything that shows them."""

from pathlib import Path

import click

from dispatcher.cli.audit_story import Story
from dispatcher.cli.door import Door, json_option, pass_door, say, say_json
from dispatcher.cli.files import keep
from dispatcher.rules.campaign import Language

_LANGUAGES = click.Choice([language.value for language in Language])


@click.command()
@click.argument("words", metavar="[CLIENT]", required=False)
@click.argument("campaign", required=False)
@click.option("--address", help="An email address or a mobile number, in the register or not.")
@click.option("--language", type=_LANGUAGES, default=Language.EN.value, help="The client's language, to hand it on.")
@json_option
@pass_door
def why(
    door: Door, words: str | None, campaign: str | None, address: str | None, language: str, *, as_json: bool
) -> None:
    """Tell a client why they got each message, and why nothing else: with the answer, its words, and the count.

    CLIENT is a client number, an email address, a phone number, or part of a name that fits one client only. Of an
    address that nobody in the register has it is told whether a no is kept for it, and no more.

    \b
    Example:
      dispatcher audit why maija.virtanen@posti.example --language fi
      dispatcher audit why --address maija.virtanen@posti.example 2026-12-joulu
    """
    if address is not None and campaign is None:
        words, campaign = None, words
    if (words is None) == (address is None):
        raise click.UsageError("Name the client, or give --address.")
    with door.open_to_all() as dispatcher:
        actor, zone = door.whoever(dispatcher), dispatcher.policy.zone
        if address is not None:
            told = dispatcher.accounts.of_address(address, actor, campaign)
        else:
            told = dispatcher.accounts.of_client(words or "", actor, campaign)
    if as_json:
        say_json(told.as_json())
        return
    for line in Story(zone, Language(language)).account(told):
        say(line)


@click.command()
@click.argument("year", type=click.IntRange(2000, 9998))
@click.option("--n", "count", type=click.IntRange(1, 1_000), default=10, show_default=True, help="How many messages.")
@click.option("--seed", help="Any word; the same one draws the same messages. Usually the year.")
@click.option("--pictures", type=click.Path(path_type=Path, file_okay=False), help="Write pictures of the forms here.")
@json_option
@pass_door
def sample(door: Door, year: int, count: int, seed: str | None, pictures: Path | None, *, as_json: bool) -> None:
    """Draw messages of a year, each with the answer it relied on, its words, and the picture of the form.

    The same seed draws the same messages from the same ledger, whoever draws.

    \b
    Example:
      dispatcher audit sample 2026 --n 10 --seed revontulet --pictures forms
    """
    with door.open_to_all() as dispatcher:
        actor, zone = door.whoever(dispatcher), dispatcher.policy.zone
        drawn = dispatcher.sampling.draw(year, count, seed or str(year), actor)
        wanted = {each.relied.picture for each in drawn.messages if each.relied and each.relied.picture}
        found = {sha256: dispatcher.sampling.picture(sha256) for sha256 in sorted(wanted)} if pictures else {}
    files = {sha256: _keep(pictures, sha256, content) for sha256, content in found.items() if pictures and content}
    if as_json:
        say_json(drawn.as_json() | {"pictures": {sha256: str(path) for sha256, path in files.items()}})
        return
    for line in Story(zone).sample(drawn):
        say(line)
    for sha256, path in files.items():
        say(f"The picture {sha256[:12]} of a form is in {path}.")


def _keep(folder: Path, sha256: str, content: bytes) -> Path:
    ending = {b"\x89PNG": "png", b"%PDF": "pdf"}.get(content[:4], "jpg")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return keep(folder / f"form-{sha256[:12]}.{ending}", content)
