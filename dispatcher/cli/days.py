"""Days as people write them on a command line, and as lists show them."""

import re
from datetime import date

import click

from dispatcher.texts import format_date

_FINNISH = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


class Day(click.ParamType[date]):
    """A local day, as 31.3.2027 or 2027-03-31."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day that was typed, or end the command with a sentence that says how to write one."""
        if isinstance(value, date):
            return value
        found = _FINNISH.fullmatch(str(value))
        try:
            if found:
                day, month, year = map(int, found.groups())
                return date(year, month, day)
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day: write it as 31.3.2027 or 2027-03-31.", param, ctx)


def shown(day: date | None) -> str:
    """Return a day as lists show it, 31.3.2027, or a dash."""
    return format_date(day) if day else "-"
