"""`dispatcher notice|ropa|breach-scope`: what the studio says of its processing, and whom a breach concerns."""

from datetime import date
from pathlib import Path

import click

from dispatcher.cli.days import DAY
from dispatcher.cli.door import Door, confirm, json_option, local, note, pass_door, say, say_json, say_table
from dispatcher.cli.files import keep
from dispatcher.errors import RefusedError
from dispatcher.flow.breach import Place, scope
from dispatcher.flow.papers import Form, form_of, json_bytes, written
from dispatcher.rules.campaign import Language
from dispatcher.texts import format_date

_SHOWN = 20
_language = click.option(
    "--language",
    type=click.Choice([language.value for language in Language]),
    default=Language.FI.value,
    show_default=True,
)
_out = click.option("--out", type=click.Path(path_type=Path), help="A file ending in .html, .pdf or .txt.")


@click.group(invoke_without_command=True)
@_language
@_out
@json_option
@pass_door
@click.pass_context
def notice(context: click.Context, door: Door, language: str, out: Path | None, *, as_json: bool) -> None:
    """Write today's privacy notice from the settings; publish it, or compare it.

    \b
    Example:
      dispatcher notice --language sv --out notice-sv.html
    """
    if context.invoked_subcommand is not None:
        return
    with door.open_to_all() as dispatcher:
        paper = dispatcher.notices.today(Language(language))
        covers = dispatcher.notices.covers_transfer()
    if out:
        keep(out, written(paper, form_of(out, Form.HTML, Form.PDF, Form.TEXT)))
    text = written(paper, Form.TEXT).decode("utf-8")
    if as_json:
        say_json({"language": language, "covers_transfer": covers, "text": text})
    else:
        say(str(out) if out else text.rstrip())


@notice.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_door
def publish(door: Door, *, yes: bool, as_json: bool) -> None:
    """Freeze today's notice as the version in force. Put it where clients read it, the same day.

    \b
    Example:
      dispatcher notice publish
    """
    with door.open() as dispatcher:
        if not yes:
            confirm("Have you read the notice in every language, and does it hold?")
        covers = dispatcher.notices.covers_transfer()
        version = dispatcher.notices.publish(door.actor(dispatcher))
        urls = {language.value: dispatcher.studio.notice_in(language) for language in Language}
    if as_json:
        say_json({"version": version, "covers_transfer": covers, "urls": urls})
        return
    say(f"Version {version} is in force from now on.")
    for language, url in urls.items():
        say(f"  `dispatcher notice --language {language} --out FILE` writes it; clients read it at {url}")


@notice.command("list")
@json_option
@pass_door
def list_(door: Door, *, as_json: bool) -> None:
    """List the published versions.

    \b
    Example:
      dispatcher notice list
    """
    with door.open_to_all() as dispatcher:
        found = dispatcher.notices.published()
        zone = dispatcher.policy.zone
    if as_json:
        rows = [
            {
                "version": each.version,
                "published_at": each.published_at,
                "covers_transfer": each.covers_transfer,
                "sha256": {language.value: each.hash_in(language) for language in each.texts},
            }
            for each in found
        ]
        say_json({"versions": rows})
    elif not found:
        say("No version was published yet: run `dispatcher notice publish`.")
    else:
        table = [
            [
                each.version,
                local(each.published_at, zone),
                ", ".join(each.texts),
                "yes" if each.covers_transfer else "no",
                each.hash_in(Language.FI)[:12],
            ]
            for each in found
        ]
        say_table(["version", "since", "languages", "tells of SMS outside the EU", "SHA-256"], table)


@notice.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@_language
@json_option
@pass_door
@click.pass_context
def diff(context: click.Context, door: Door, file: Path | None, language: str, *, as_json: bool) -> None:
    """Print what today's notice says otherwise than the version in force, or than a text file. Exit code 1 if it does.

    Save the page that clients read as text to compare it.

    \b
    Example:
      dispatcher notice diff published.txt --language fi
    """
    with door.open_to_all() as dispatcher:
        lines = dispatcher.notices.difference(Language(language), _text_of(file) if file else None)
    if as_json:
        say_json({"language": language, "same": not lines, "difference": lines})
    else:
        for line in lines or ["Today's notice says the same."]:
            say(line)
    context.exit(1 if lines else 0)


@click.command()
@_language
@_out
@json_option
@pass_door
def ropa(door: Door, language: str, out: Path | None, *, as_json: bool) -> None:
    """Print the record of processing that Article 30 asks for.

    \b
    Example:
      dispatcher ropa --out record.pdf
    """
    with door.open_to_all() as dispatcher:
        value = dispatcher.ropa.as_json()
        paper = dispatcher.ropa.paper(Language(language))
    if out:
        keep(out, written(paper, form_of(out, Form.HTML, Form.PDF, Form.TEXT)))
    if as_json:
        say_json(value)
    else:
        say(str(out) if out else written(paper, Form.TEXT).decode("utf-8").rstrip())


@click.command("breach-scope")
@click.option("--since", type=DAY, help="The first day, as 3.2.2026.")
@click.option("--until", type=DAY, help="The last day, as 5.2.2026.")
@click.option("--database", is_flag=True, help="The database was seen; so it is unless a provider is named.")
@click.option("--provider", type=click.Choice([Place.SMTP.value, Place.TWILIO.value]), help="What this provider got.")
@click.option(
    "--full", type=click.Path(path_type=Path), help="Write whom to notify, addresses whole, to this JSON file."
)
@json_option
@pass_door
def breach_scope(
    door: Door,
    since: date | None,
    until: date | None,
    provider: str | None,
    full: Path | None,
    *,
    database: bool,
    as_json: bool,
) -> None:
    """Say whom a breach concerns and which of their data, addresses masked.

    \b
    Example:
      dispatcher breach-scope --provider twilio --since 3.2.2026 --until 5.2.2026 --full notify.json
    """
    if database and provider:
        raise click.UsageError("Name one place: --database or --provider.")
    place = Place(provider) if provider else Place.DATABASE
    with door.open_to_all() as dispatcher:
        found = scope(dispatcher.store, dispatcher.policy, place, since, until)
        door.note(dispatcher, len(found.affected))
        if full:
            form_of(full, Form.JSON)
            keep(full, json_bytes(found.to_notify(dispatcher.store, door.whoever(dispatcher))))
    if as_json:
        say_json(found.as_json())
        return
    span = " ".join(
        f"{word} {format_date(day)}" for word, day in (("since", found.since), ("until", found.until)) if day
    )
    who = "1 client is" if len(found.affected) == 1 else f"{len(found.affected)} clients are"
    say(f"{who} affected: {place} {span}".rstrip() + ".")
    for kind, count in found.kinds.items():
        say(f"  {count:>6}  {kind.replace('_', ' ')}")
    if found.gone:
        say(f"{found.gone} more have been removed since: nobody can reach them any more.")
    for each in found.affected[:_SHOWN]:
        addresses = each.as_json()["addresses"]
        say(f"  {each.client.number}  {', '.join(map(str, addresses.values())) if isinstance(addresses, dict) else ''}")
    if len(found.affected) > _SHOWN:
        say(f"  ... and {len(found.affected) - _SHOWN} more; --json shows all of them")
    note(f"Whom to notify: {full}" if full else "Addresses for notifying them: --full notify.json")


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise RefusedError(f"{file} cannot be read: save the notice as a text file in UTF-8.") from None


COMMANDS = (notice, ropa, breach_scope)
