"""`dispatcher init`: begins a workspace."""

import json
from pathlib import Path
from string import Template

import click

from dispatcher.cli.door import is_interactive, json_option, say, say_json
from dispatcher.cli.sent_before import SENT, Sent, asked_sent, declare_all
from dispatcher.errors import RefusedError
from dispatcher.settings import FILE, read_settings
from dispatcher.wiring import copy_starters, found, opened

_QUESTIONS = {
    "owner": ("Your name", "Owner"),
    "owner_email": ("Where tests and alerts reach you by email (empty: nowhere yet)", ""),
    "name": ("The name of your business", "Esimerkkistudio"),
    "business_id": ("Its business id (Y-tunnus)", "0000000-0"),
    "postal_address": ("Its postal address", "Esimerkkikuja 1, 99999 Esimerkkilä"),
    "email": ("Its email address for clients", "hei@studio.example"),
    "phone": ("Its phone number for clients", "+358 40 000 0000"),
    "booking_url": ("Where clients book", "https://studio.example/varaa"),
    "public_url": ("Where clients will reach this program", "https://viestit.studio.example"),
    "notice": ("Where your privacy notice is", "https://studio.example/tietosuoja"),
    "sender": ("The address mails come from", "tarjoukset@studio.example"),
}
_DATABASE = {"database": "sqlite:///dispatcher.db", "journal": "dispatcher.journal"}
_UNCOMMITTED = ("secrets.toml", "dkim-*.pem", "*.db*", "*.journal", "preview/", "sender.lock")
"""What git leaves alone in a workspace: keys, and what is known of clients."""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--owner", help="Your name.")
@click.option("--owner-email", help="Where tests and alerts reach you.")
@click.option("--name", help="The name of your business.")
@click.option("--business-id", help="Its business id.")
@click.option("--postal-address", help="Its postal address.")
@click.option("--email", help="Its email address for clients.")
@click.option("--phone", help="Its phone number for clients.")
@click.option("--booking-url", help="Where clients book.")
@click.option("--public-url", help="Where clients will reach this program.")
@click.option("--notice", help="Where your privacy notice is.")
@click.option("--sender", help="The address mails come from.")
@click.option("--database", default=_DATABASE["database"], show_default=True, help="The database, by its URL.")
@click.option("--journal", default=_DATABASE["journal"], show_default=True, help="With PostgreSQL a second database.")
@click.option(
    "--sent-before",
    "sent",
    type=SENT,
    multiple=True,
    help="A campaign sent this year before there was this program; again for each.",
)
@json_option
def init(directory: Path, sent: tuple[Sent, ...], *, as_json: bool, **given: str | None) -> None:
    """Begin a workspace: settings, campaigns, templates, keys, database, journal, and you as its owner.

    On a terminal it asks for what the options do not say, and which campaigns you have sent this year already: they
    count among the twelve. Elsewhere it takes sample values, to be changed in dispatcher.toml before anything is sent.

    \b
    Example:
      dispatcher init studio --owner "Aino Esimerkki" --owner-email aino@studio.example
      dispatcher init studio --owner "Aino Esimerkki" --sent-before "3.2.2026:Talven tarjous:letter:120"
    """
    if (directory / FILE).exists():
        raise RefusedError(f"There is a {FILE} in {directory} already. Nothing was changed.")
    answers = _answers(given)
    sent = sent or (asked_sent() if is_interactive() else ())
    directory.mkdir(parents=True, exist_ok=True)
    reached_at = answers.pop("owner_email")
    _write_settings(directory, answers)
    try:
        read_settings(directory)
        found(directory, answers["owner"], email=reached_at or None)
    except BaseException:
        # Whatever stood in the way, the same command can be given again.
        (directory / FILE).unlink()
        raise
    (directory / ".gitignore").write_text("\n".join([*_UNCOMMITTED, ""]), encoding="utf-8")
    copy_starters(directory)
    with opened(directory) as dispatcher:
        counted = declare_all(dispatcher, sent)
    if as_json:
        say_json({"workspace": str(directory), "owner": answers["owner"], "declared": counted})
        return
    say(f"The workspace {directory} is ready; {answers['owner']} is its owner.")
    say(f"  1. Look through {FILE}: who you are, how mail leaves, what your register's columns mean.")
    say("  2. dispatcher keys backup FILE    keeps a copy of the keys, apart from everything else")
    say("  3. dispatcher client import FILE  takes in your booking system's export")
    say("  4. Give a sample in campaigns/ a send_at to come, and words of your own, then:")
    say("     dispatcher campaign check campaigns/FILE.toml")
    if not reached_at:
        say("Before a campaign is scheduled you get a test of it: `dispatcher person reach --help` says where to.")
    if sent:
        say(f"{counted} sent before {'counts' if counted == 1 else 'count'} among the twelve of a year.")
    else:
        say("What you have sent this year already counts among the twelve: `dispatcher campaign declare --help`.")


def _answers(given: dict[str, str | None]) -> dict[str, str]:
    asks = is_interactive()
    answers = {key: given.get(key) or default for key, default in _DATABASE.items()}
    for key, (question, default) in _QUESTIONS.items():
        value = given.get(key)
        answers[key] = value or (click.prompt(question, default=default) if asks else default)
    return answers


def _write_settings(directory: Path, answers: dict[str, str]) -> None:
    source = (Path(__file__).parent / "workspace.toml").read_text(encoding="utf-8")
    values = {key: json.dumps(value, ensure_ascii=False) for key, value in answers.items()}
    (directory / FILE).write_text(Template(source).substitute(values), encoding="utf-8")


COMMANDS = (init,)
