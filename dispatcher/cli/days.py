"""A day as a person types it."""

from datetime import date, datetime

import click

from dispatcher.rules.campaign import Language
from dispatcher.texts import format_date


class _Day(click.ParamType[date]):
    """A day, written as 3.2.2026 or 2026-02-03."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day. Fails for what is none."""
        if isinstance(value, date):
            return value
        for form in ("%d.%m.%Y", "%Y-%m-%d"):
            try:
                return datetime.strptime(str(value).strip(), form).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
        raise click.BadParameter(f"{value!r} is no day: write it as 3.2.2026.", ctx, param)


DAY = _Day()
"""The type of an option that takes a day."""


def shown(day: date | None) -> str:
    """Return a day as Finland writes it, or a dash."""
    return format_date(day, Language.FI) if day else "-"
