"""`dispatcher audit why` and `audit sample`: one client's story, and a few messages with everything that shows them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from dispatcher.cli.door import Door, json_option, local, pass_door, say, say_json
from dispatcher.cli.files import keep
from dispatcher.flow.accounts import Account, Line
from dispatcher.flow.relied import Relied
from dispatcher.flow.sampling import Drawn, Sample
from dispatcher.rules.budget import CEILING
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place
from dispatcher.rules.decision import Reason
from dispatcher.texts import CATALOGUES, format_date, reason_text, text

_HOUR = timedelta(hours=1)
_SILENCE = {
    "not_addressed": "the campaign's file did not address them",
    "not_in_register_yet": "they were not in the register yet",
}


@click.command()
@click.argument("words", metavar="[CLIENT]", required=False)
@click.argument("campaign", required=False)
@click.option("--address", help="An email address or a mobile number, in the register or not.")
@json_option
@pass_door
def why(door: Door, words: str | None, campaign: str | None, address: str | None, *, as_json: bool) -> None:
    """Tell a client why they got each message, and why nothing else: with the answer, its words, and the count.

    CLIENT is a client number, an email address, a phone number, or part of a name that fits one client only. Of an
    address that nobody in the register has it is told whether a no is kept for it, and no more.

    \b
    Example:
      dispatcher audit why maija.virtanen@posti.example
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
    for line in _account(told, zone):
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
    for line in _sample(drawn, zone):
        say(line)
    for sha256, path in files.items():
        say(f"The picture {sha256[:12]} of a form is in {path}.")


def _keep(folder: Path, sha256: str, content: bytes) -> Path:
    ending = {b"\x89PNG": "png", b"%PDF": "pdf"}.get(content[:4], "jpg")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return keep(folder / f"form-{sha256[:12]}.{ending}", content)


def _account(told: Account, zone: ZoneInfo) -> Iterator[str]:
    if told.client is None:
        for since, until in told.kept:
            yield f"A no is kept for this address, since {local(since, zone)} and until {local(until, zone)}."
            yield "Nothing else is held, and nothing is sent there."
        if not told.kept:
            yield "Nothing is held for this address."
        return
    yield f"Client {told.client}"
    if not told.lines:
        yield "  Nothing has been sent or withheld, and nothing answered."
    for line in told.lines:
        yield from _line(line, zone)


def _line(line: Line, zone: ZoneInfo) -> Iterator[str]:
    when = f"{local(line.at, zone):<16}"
    entry = f" (entry {line.entry})" if line.entry else ""
    if line.what == "answer" and line.relied is not None:
        yield f"{when}  {_reply(line.relied)}{entry}"
        yield from _evidence(line.relied, zone)
    elif line.what == "message":
        sent = f"{line.state} by {_channel(line.channel)}"
        count = f", message {line.nth} of at most {CEILING} in 365 days" if line.nth else ""
        yield f"{when}  {line.title}: {sent}{count}{entry}"
        if line.relied is not None:
            yield f"{'':16}    because of entry {line.relied.answer.entry}: {_reply(line.relied)}"
            yield from _evidence(line.relied, zone)
    elif line.what == "service":
        why = f", {line.reason.replace('_', ' ')}" if line.reason else ""
        key = f"audit_purpose_{line.title}"
        purpose = text(key, Language.EN) if key in CATALOGUES[Language.EN] else line.title
        yield f"{when}  beside the campaigns, {purpose}: {line.state} by {_channel(line.channel)}{why}{entry}"
    else:
        reason = _SILENCE.get(line.reason or "") or _reason(line.reason or "")
        yield f"{when}  {line.title}: nothing, {reason}{entry}"


def _sample(drawn: Sample, zone: ZoneInfo) -> Iterator[str]:
    many = len(drawn.messages)
    yield f"{many} of the {drawn.left} messages that left in {drawn.year}, drawn with the seed {drawn.seed!r}:"
    for each in drawn.messages:
        yield ""
        yield from _drawn(each, zone)


def _drawn(each: Drawn, zone: ZoneInfo) -> Iterator[str]:
    what = f"{each.title or each.campaign} to client {each.client} by {_channel(each.channel)}"
    yield f"{local(each.at, zone)}  {what}: {each.state} (entry {each.entry})"
    if each.relied is None:
        yield "    THE ENTRY IT RELIED ON IS NO ANSWER."
        return
    yield f"    because of entry {each.relied.answer.entry}: {_reply(each.relied)}"
    yield from _evidence(each.relied, zone)


def _reply(relied: Relied) -> str:
    answer = relied.answer
    word = {"granted": "yes", "declined": "no", "withdrawn": "no more messages", "not_asked": "not asked"}
    what = f"to {_channel(answer.channel)}" if answer.channel else "by any channel"
    return word[answer.reply.value] if answer.reply.value == "not_asked" else f"{word[answer.reply.value]} {what}"


def _evidence(relied: Relied, zone: ZoneInfo) -> Iterator[str]:
    answer = relied.answer
    given = _given(answer.not_before or answer.not_after, answer.not_after or answer.not_before, zone)
    where = f", {text(f'place_{answer.place}', Language.EN)}" if isinstance(answer.place, Place) else ""
    yield f"{'':16}    given {given}{where}; recorded {local(answer.recorded_at, zone)} by {relied.recorded_by}"
    if relied.wording:
        yield f"{'':16}    the words: \N{LEFT DOUBLE QUOTATION MARK}{relied.wording}\N{RIGHT DOUBLE QUOTATION MARK}"
    if relied.source:
        picture = f", its picture {relied.picture[:12]}" if relied.picture else ", no picture"
        yield f"{'':16}    on the form of {relied.source}{picture}"


def _given(first: datetime | None, last: datetime | None, zone: ZoneInfo) -> str:
    """Return when an answer was given: a minute, a day, or from when to when."""
    if first is None or last is None:
        return "at a time nobody knows"
    if local_date(first, zone) != local_date(last, zone):
        return f"{local(first, zone)} to {local(last, zone)}"
    return local(first, zone) if last - first < _HOUR else format_date(local_date(first, zone))


def _channel(channel: str | None) -> str:
    return text(f"channel_{channel}", Language.EN) if channel else "no channel"


def _reason(reason: str) -> str:
    if reason not in set(Reason):
        return reason.replace("_", " ")
    said = reason_text(Reason(reason), Language.EN).rstrip(".")
    return said[0].lower() + said[1:]
