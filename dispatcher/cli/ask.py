"""`dispatcher consent ask-list` and `poster`: what is put on paper so that people are asked."""

from pathlib import Path

import click

from dispatcher.cli.door import Door, json_option, note, pass_door, say, say_json
from dispatcher.cli.files import keep
from dispatcher.errors import RefusedError
from dispatcher.flow.ask_paper import AskPaper
from dispatcher.flow.posters import Size
from dispatcher.flow.questioning import ask_list_json
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language

_LANGUAGES = click.Choice([language.value for language in Language])
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("ask-list")
@click.option("--limit", type=click.IntRange(1), help="How many people at most.")
@click.option("--language", type=_LANGUAGES, default="fi", show_default=True, help="Of the list itself.")
@click.option("--html", "page", type=_FILE, help="Write a page for a browser's printer, too.")
@click.option("--pdf", "paper", type=_FILE, help="Write a PDF, too.")
@json_option
@pass_door
def ask_list(
    door: Door, *, limit: int | None, language: str, page: Path | None, paper: Path | None, as_json: bool
) -> None:
    """List whom to ask when they are here next, with the words to read aloud and boxes to tick.

    On it are those without an answer, those whose yes ends soon or has ended, and those who were here since they last
    answered. Nobody who has objected is on it.

    \b
    Example:
      dispatcher consent ask-list --limit 40 --pdf kysyttavat.pdf
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.asking.ask_list(door.whoever(dispatcher), limit)
        door.note(dispatcher, len(found.people))
        zone = dispatcher.policy.zone
        today = local_date(dispatcher.store.clock(), zone)
        printed = AskPaper(found, dispatcher.studio, Language(language), today, zone)
        # Names are on it: like every paper about clients it is its owner's alone, and never over another.
        files = [keep(page, printed.to_html().encode())] if page is not None else []
        files += [keep(paper, printed.to_pdf())] if paper is not None else []
    if as_json:
        say_json(ask_list_json(found))
    else:
        say(printed.to_text())
    for path in files:
        note(f"Written: {path}")


@click.command()
@click.option("--language", type=_LANGUAGES, default="fi", show_default=True)
@click.option("--size", type=click.Choice([size.value for size in Size]), default="a4", show_default=True)
@click.option("--out", required=True, type=_FILE, help="Where to: a new file whose name ends with .svg or .pdf.")
@json_option
@pass_door
def poster(door: Door, *, language: str, size: str, out: Path, as_json: bool) -> None:
    """Make a poster or a card for the counter with a code that leads to the sign-up page.

    \b
    Example:
      dispatcher consent poster --size card --language sv --out kort.svg
    """
    kind = out.suffix.lower()
    if kind not in {".svg", ".pdf"}:
        raise RefusedError(f"{out.name}: give it a name that ends with .svg or .pdf.")
    with door.open_to_all() as dispatcher:
        posters = dispatcher.posters
        if kind == ".svg":
            content = posters.to_svg(Language(language), Size(size)).encode()
        else:
            content = posters.to_pdf(Language(language), Size(size), dispatcher.store.clock())
    keep(out, content)
    if as_json:
        say_json({"file": str(out), "language": language, "size": size, "bytes": len(content)})
    else:
        say(f"{out} is the {'poster' if size == Size.A4 else 'card'}: hang it where people book and pay.")
