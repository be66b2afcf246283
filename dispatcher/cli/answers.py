"""`dispatcher consent record` and `history`: what a client said, put on record by a person, and what it comes to."""

from datetime import datetime

import click

from dispatcher.cli.door import Door, json_option, local, pass_door, say, say_json, say_table
from dispatcher.errors import RefusedError
from dispatcher.flow.answering import Said
from dispatcher.flow.cards import Card, Standing
from dispatcher.flow.register import Told
from dispatcher.rules.calendar import LocalTimeError, said_span
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.texts import format_date, reason_text
from dispatcher.wiring import Dispatcher

_TO_A_QUESTION = frozenset({Reply.GRANTED, Reply.DECLINED})
_PLACES = (Place.IN_PERSON, Place.PHONE, Place.EMAIL, Place.ONLINE, Place.DESK, Place.SMS_REPLY, Place.MAILTO)
"""What a person can vouch for; the program itself vouches for its own pages and links."""


@click.command()
@click.argument("words", metavar="CLIENT")
@click.option("--answer", required=True, type=click.Choice([reply.value for reply in Reply]), help="What they said.")
@click.option(
    "--channel", type=click.Choice([channel.value for channel in Channel]), help="What they were asked about."
)
@click.option("--place", required=True, type=click.Choice([place.value for place in _PLACES]), help="Where.")
@click.option("--on", "when", metavar="TIME", help='When: "3.2.2026 14:05" or 3.2.2026, local time; now by default.')
@click.option("--wording", "digest", metavar="SHA", help="The wording they were asked in, by its SHA-256.")
@click.option("--words", "own", metavar="TEXT", help="The exact words they were asked in; today's question by default.")
@click.option("--language", type=click.Choice([language.value for language in Language]), help="Of the question.")
@click.option("--booking", metavar="REF", help="The booking in which they were asked; only its keyed hash is kept.")
@json_option
@pass_door
def record(  # noqa: PLR0913 - one option for each thing that an answer has
    door: Door,
    words: str,
    *,
    answer: str,
    channel: str | None,
    place: str,
    when: str | None,
    digest: str | None,
    own: str | None,
    language: str | None,
    booking: str | None,
    as_json: bool,
) -> None:
    """Record what a client answered, where, when and in which words.

    CLIENT is a client number, an email address, a phone number, or part of a name that fits one client only.

    \b
    Example:
      dispatcher consent record maija.virtanen@posti.example --answer granted --channel email --place phone
      dispatcher consent record 0401234567 --answer declined --channel sms --place in_person --on "3.2.2026 14:05"
    """
    if digest is not None and own is not None:
        raise RefusedError("Say --wording or --words, not both.")
    reply, about = Reply(answer), Channel(channel) if channel else None
    if reply is Reply.GRANTED and about is None:
        raise click.UsageError("A yes is for one channel: give --channel email or --channel sms.")
    with door.open() as dispatcher:
        number = door.client(dispatcher, words)
        asked = own if digest is None else dispatcher.asking.wording(digest)
        if asked is None and about is not None and reply in _TO_A_QUESTION:
            asked = dispatcher.asking.question(about, _language(dispatcher, number, language))
        first, last = _span(when, dispatcher) if when else (None, None)
        said = Said(reply, about, Place(place), asked, first, last, booking)
        entry = dispatcher.answering.record(number, [said], door.actor(dispatcher))[0]
        card = dispatcher.asking.card(number)
        zone = dispatcher.policy.zone
    if as_json:
        now = {each.value: standing.as_json(zone) for each, standing in card.standings.items()}
        told = {"client": number, "entry": entry, "answer": answer, "channel": channel, "place": place}
        say_json({**told, "wording": asked, "now": now})
        return
    say(f"Recorded for client {number}: {answer.replace('_', ' ')}{f' to {channel}' if channel else ''}.")
    if asked is not None:
        say(f"  You vouch that these words were used: {asked}")
    for line in _said_standings(card, dispatcher):
        say(line)


@click.command()
@click.argument("words", metavar="CLIENT")
@json_option
@pass_door
def history(door: Door, words: str, *, as_json: bool) -> None:
    """Show every answer a client has given, who recorded it, and what all of them come to now.

    \b
    Example:
      dispatcher consent history 0401234567
    """
    with door.open_to_all() as dispatcher:
        number = door.client(dispatcher, words)
        told = dispatcher.register.history(number)
        card = dispatcher.asking.card(number)
        zone = dispatcher.policy.zone
    if as_json:
        now = {channel.value: standing.as_json(zone) for channel, standing in card.standings.items()}
        say_json({"client": number, "child": card.is_child, "answers": [each.as_json() for each in told], "now": now})
        return
    if not told:
        say(f"Client {number} has never been asked.")
    else:
        rows = [_row(each, dispatcher) for each in told]
        columns = ["given", "recorded", "by", "answer", "channel", "where", "usable", "asked in these words"]
        say_table(columns, rows, texts=["by", "answer", "channel", "where", "usable", "asked in these words"])
        say()
    for line in _said_standings(card, dispatcher):
        say(line)


def _row(told: Told, dispatcher: Dispatcher) -> list[str]:
    answer, zone = told.answer, dispatcher.policy.zone
    return [
        local(answer.not_before, zone),
        local(answer.recorded_at, zone),
        told.recorded_by,
        answer.reply.value.replace("_", " "),
        answer.channel.value if answer.channel else "every channel",
        answer.place.value.replace("_", " ") if answer.place else "-",
        _usable(told),
        told.wording or "-",
    ]


def _usable(told: Told) -> str:
    """Say whether a yes can be used, and if not why; a no always counts."""
    if told.answer.reply is not Reply.GRANTED:
        return "-"
    said = "yes" if told.flaw is None else f"no: {told.flaw.value.removeprefix('consent_').replace('_', ' ')}"
    said += "" if told.answer.sound else " (unsound question)"
    return said + (f", by source {told.answer.source}" if told.answer.source is not None else "")


def _said_standings(card: Card, dispatcher: Dispatcher) -> list[str]:
    """Return a line for each channel: what the answers come to, until when, and why nothing may be written, if so."""
    lines = ["Marked as a child: nothing is written to them."] if card.is_child else []
    return lines + [
        f"Now, {channel}: {_said_standing(standing, dispatcher)}" for channel, standing in card.standings.items()
    ]


def _said_standing(standing: Standing, dispatcher: Dispatcher) -> str:
    ends_on = standing.ends_on(dispatcher.policy.zone)
    said = standing.consent.state.value.replace("_", " ") + (f" until {format_date(ends_on)}" if ends_on else "")
    if standing.reason is None:
        return f"{said}; may be written to."
    return f"{said}; not written to: {reason_text(standing.reason, Language.EN)}"


def _language(dispatcher: Dispatcher, number: int, asked: str | None) -> Language:
    return Language(asked) if asked else dispatcher.asking.card(number).language


def _span(when: str, dispatcher: Dispatcher) -> tuple[datetime, datetime]:
    """Return the span a person means, no later than now; one that begins later is left for the answering to refuse."""
    try:
        first, last = said_span(when, dispatcher.policy.zone)
    except LocalTimeError as error:
        raise RefusedError(f"{error}. Nothing was recorded.") from None
    return first, max(first, min(last, dispatcher.store.clock()))
