"""`dispatcher client show` and `dispatcher consent receipt`: one client, as they stand."""

from pathlib import Path

import click

from dispatcher.cli.client import client
from dispatcher.cli.consent import consent
from dispatcher.cli.door import Door, json_option, local, pass_door, say, say_json, say_table
from dispatcher.cli.files import keep
from dispatcher.flow.consent_receipts import ReceiptForm
from dispatcher.flow.papers import Form, form_of, json_bytes, written
from dispatcher.flow.requests import next_step
from dispatcher.flow.standing import Standing, in_words, standing, verdict_json
from dispatcher.rules.budget import CEILING
from dispatcher.rules.campaign import Channel, Language
from dispatcher.texts import format_date


@client.command()
@click.argument("words", metavar="CLIENT")
@click.option("--full", is_flag=True, help="Show addresses whole: for the owner and staff.")
@json_option
@pass_door
def show(door: Door, words: str, *, full: bool, as_json: bool) -> None:
    """Show one client: consent by channel, whether they may be written to now and why not, and what they asked for.

    \b
    Example:
      dispatcher client show maija.virtanen@posti.example
    """
    with door.open_to_all() as dispatcher:
        actor, number = door.whoever(dispatcher), door.client(dispatcher, words)
        found = standing(dispatcher.store, dispatcher.policy, number, actor if full else None)
        zone = dispatcher.policy.zone
    if as_json:
        say_json(_as_json(found))
        return
    who = found.profile
    say(f"Client {who.number}: {f'{who.first_name} {who.last_name}'.strip()}".rstrip())
    say(f"  language {who.language}, last visit {format_date(who.last_visit) if who.last_visit else 'unknown'}")
    rows = [
        [
            channel.value,
            found.addresses.get(channel, "-"),
            held.state.value.replace("_", " "),
            local(held.ends_at, zone),
        ]
        for channel, held in found.consents.items()
    ]
    say_table(["channel", "address", "consent", "until"], rows)
    say(f"Now: {in_words(found.verdict)}")
    say(f"Messages in the last 12 months: {found.messages} of at most {CEILING}.")
    for each in found.requests:
        say(f"Request {each.id}: {each.kind}, due {format_date(each.due)}. Next: {next_step(each)}")
    for block in found.blocks:
        say(f"Legal block: {block.reason.replace('_', ' ')}, keeps {block.keeps}, until {format_date(block.until)}.")


@consent.command()
@click.argument("words", metavar="CLIENT")
@click.option("--channel", type=click.Choice([channel.value for channel in Channel]), help="Only this channel.")
@click.option("--out", type=click.Path(path_type=Path), help="A file ending in .json, .html or .pdf.")
@click.option("--language", type=click.Choice([language.value for language in Language]))
@click.option(
    "--form",
    type=click.Choice([form.value for form in ReceiptForm]),
    default=ReceiptForm.TS_27560.value,
    show_default=True,
    help="Whose field names the JSON has.",
)
@json_option
@pass_door
def receipt(
    door: Door, words: str, channel: str | None, out: Path | None, language: str | None, form: str, *, as_json: bool
) -> None:
    """Give a client a receipt: every answer, its words, when, where, and how to say no.

    \b
    Example:
      dispatcher consent receipt maija.virtanen@posti.example --out receipt.html
    """
    with door.open_to_all() as dispatcher:
        number = door.client(dispatcher, words)
        channels = [Channel(channel)] if channel else list(Channel)
        made = dispatcher.receipts.make(
            number, channels, door.whoever(dispatcher), Language(language) if language else None
        )
        value = dispatcher.receipts.as_json(made, ReceiptForm(form))
        wanted = form_of(out, Form.JSON, Form.HTML, Form.PDF) if out else None
        paper = dispatcher.receipts.paper(made)
    if out and wanted:
        keep(out, json_bytes(value) if wanted is Form.JSON else written(paper, wanted))
    if as_json:
        say_json(value)
    elif out:
        say(str(out))
    else:
        say(written(paper, Form.TEXT).decode("utf-8").rstrip())


def _as_json(found: Standing) -> dict[str, object]:
    who = found.profile
    return {
        "number": who.number,
        "name": f"{who.first_name} {who.last_name}".strip(),
        "language": who.language.value,
        "last_visit": who.last_visit,
        "restricted": who.restricted,
        "child": who.child,
        "addresses": {channel.value: address for channel, address in found.addresses.items()},
        "consent": {
            channel.value: {
                "state": held.state.value,
                "ends_at": held.ends_at,
            }
            for channel, held in found.consents.items()
        },
        **verdict_json(found.verdict),
        "messages_in_year": found.messages,
        "messages_at_most": CEILING,
        "requests": [each.as_json() for each in found.requests],
        "blocks": [
            {"reason": each.reason, "keeps": each.keeps.split(","), "until": each.until} for each in found.blocks
        ],
    }


COMMANDS = ()
