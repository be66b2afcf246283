"""What was sent before there was this program, as a person tells it at the beginning."""

from dataclasses import dataclass
from datetime import date

import click

from dispatcher.cli.days import DAY
from dispatcher.cli.door import note
from dispatcher.errors import DispatcherError
from dispatcher.rules.budget import Way
from dispatcher.rules.campaign import Kind
from dispatcher.wiring import Dispatcher

_FORM = "DATE:TITLE:CHANNEL:COUNT"


@dataclass(frozen=True, slots=True)
class Sent:
    """A campaign that was sent: when, what it was called, how, and how many messages."""

    day: date
    title: str
    way: Way
    messages: int


class _Sent(click.ParamType[Sent]):
    """A campaign that was sent, as DATE:TITLE:CHANNEL:COUNT; the title may hold colons."""

    name = _FORM

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Sent:
        """Return what was sent. Fails for what cannot be read so."""
        if isinstance(value, Sent):
            return value
        day, _, rest = str(value).partition(":")
        title, way, count = ([*rest.rsplit(":", 2), "", ""])[:3]
        if way not in set(Way) or not title.strip() or not (count.isdecimal() and int(count)):
            ways = ", ".join(Way)
            self.fail(f"{value!r} is no {_FORM}: write it as 3.2.2026:Talven tarjous:letter:120 ({ways}).", param, ctx)
        return Sent(DAY.convert(day, param, ctx), title, Way(way), int(count))


SENT = _Sent()
"""The type of an option that takes a campaign that was sent."""


def asked_sent() -> tuple[Sent, ...]:
    """Ask how many campaigns were sent this year already, and about each."""
    count = click.prompt("How many campaigns have you sent this year already?", type=click.IntRange(0, 12), default=0)
    return tuple(_asked(number) for number in range(1, count + 1))


def declare_all(dispatcher: Dispatcher, sent: tuple[Sent, ...]) -> int:
    """Declare what was sent and return how much took its slot; what is refused is named, with what to type."""
    actor, counted = dispatcher.persons.acting(None), 0
    for each in sent:
        try:
            dispatcher.declaring.declare(each.day, each.title, [each.way], each.messages, Kind.OFFER, actor)
        except DispatcherError as error:
            note(f"Not declared: {error} Declare it with `dispatcher campaign declare`.")
        else:
            counted += 1
    return counted


def _asked(number: int) -> Sent:
    return Sent(
        day=click.prompt(f"  {number}. On which day", type=DAY),
        title=click.prompt("     What it was called"),
        way=Way(click.prompt("     How", type=click.Choice([way.value for way in Way]), default=Way.EMAIL.value)),
        messages=click.prompt("     How many messages", type=click.IntRange(1)),
    )
