"""`dispatcher campaign year`: the year at a glance, and what one more campaign would do to it."""

from collections.abc import Sequence
from pathlib import Path

import click

from dispatcher.cli.days import shown
from dispatcher.cli.door import Door, json_option, pass_door, progress, say, say_json, say_table
from dispatcher.cli.files import keep
from dispatcher.flow.year import WhatIf, calendar_file, picture_file
from dispatcher.rules.budget import CEILING, WINDOW
from dispatcher.rules.noted_days import Suggestion
from dispatcher.rules.year import SPACING, Gap, Glance, Standing, YearEntry
from dispatcher.texts import format_date

_COUNTED = (Standing.SPENT, Standing.SCHEDULED, Standing.HELD, Standing.DRAFT, Standing.RESERVED, Standing.DECLARED)


@click.command()
@click.argument("year", type=click.IntRange(2000, 2100), required=False)
@click.option("--what-if", "candidate", type=click.Path(path_type=Path), help="Show what this campaign file would do.")
@click.option("--ical", type=click.Path(path_type=Path), help="Write the year as a calendar file.")
@click.option("--svg", type=click.Path(path_type=Path), help="Write the year as a picture.")
@json_option
@pass_door
def year(
    door: Door, year: int | None, *, candidate: Path | None, ical: Path | None, svg: Path | None, as_json: bool
) -> None:
    """Show a year at a glance: its slots, what is left of twelve, gaps, and dates that suggest themselves.

    This year by default, or the year of the file after --what-if. A year that is over is told by the ledger.

    \b
    Example:
      dispatcher campaign year 2027
      dispatcher campaign year 2027 --ical 2027.ics --svg 2027.svg
      dispatcher campaign year --what-if campaigns/2027-02-talvi.toml
    """
    with door.open_to_all() as dispatcher:
        years = dispatcher.years
        with progress("clients") as tell:
            trial = years.what_if(candidate, tell) if candidate else None
        wanted = year or (trial.trial.day.year if trial else years.this_year())
        seen, suggested = years.glance(wanted), years.suggestions(wanted)
        written = []
        if ical is not None:
            written.append(keep(ical, calendar_file(seen, dispatcher.studio, dispatcher.store.clock())))
        if svg is not None:
            noted = years.noted(wanted)
            written.append(keep(svg, picture_file(seen, noted, suggested, dispatcher.studio)))
    if as_json:
        files = {"written": [str(path) for path in written]} if written else {}
        say_json({**_as_json(seen, suggested), "what_if": _trial_json(trial) if trial else None, **files})
        return
    _say_year(seen, suggested)
    if trial is not None:
        say()
        _say_trial(trial)
    for path in written:
        say(f"Written: {path}")


def _say_year(seen: Glance, suggested: Sequence[Suggestion]) -> None:
    is_over = seen.year < seen.today.year
    say(f"{seen.year}: {seen.taken} of {CEILING} slots taken" + ("." if is_over else f", {seen.left} left."))
    if seen.entries:
        counts = [f"{seen.counts[standing]} {standing.value}" for standing in _COUNTED if seen.counts[standing]]
        say(f"  {', '.join(counts) or 'none holds a slot'}")
        rows = [
            [shown(each.day), each.title, each.standing.value, (each.kind or "").replace("_", " "), _sent(each)]
            for each in seen.entries
        ]
        say_table(["day", "title", "slot", "kind", "sent"], rows, texts=["title"])
    elif is_over:
        say("No campaign of this year is on record.")
    else:
        say("No campaign has a slot yet. Write one into campaigns/ and run `dispatcher campaign schedule FILE`.")
    for remark in seen.remarks:
        say(remark)
    for gap in seen.gaps if seen.entries else ():
        say(_said_gap(gap))
    for cluster in seen.clusters:
        names = ", ".join(f"{each.title} ({shown(each.day)})" for each in cluster.entries)
        say(f"Close together, {cluster.closest} days at the closest: {names}. {SPACING.days} days apart is better.")
    if suggested:
        say("Dates with room, before days that clients mark:")
        for each in suggested:
            channels = " and ".join(channel.value for channel in each.channels)
            say(f"  {shown(each.send_on)} by {channels}, before {', '.join(each.names)} ({shown(each.day)})")


def _said_gap(gap: Gap) -> str:
    return f"{gap.days} days without a campaign: {format_date(gap.first)} to {format_date(gap.last)}."


def _sent(entry: YearEntry) -> str:
    return ", ".join(f"{count} {channel.value}" for channel, count in sorted(entry.sent.items()))


def _say_trial(what: WhatIf) -> None:
    trial, reach = what.trial, what.reach
    last = trial.window + WINDOW
    say(f"With {what.campaign.title} on {shown(trial.day)}:")
    if trial.full is not None:
        say(f"  it does not fit: {trial.full.period} hold twelve already; the first free date is "
            f"{shown(trial.full.first_free)}")  # fmt: skip
    if what.is_past:
        say("  its moment has passed: write a later send_at into its file")
    elif not what.open_channels:
        say("  none of its channels is open at that hour: write another send_at into its file")
    elif what.fits:
        say("  it fits")
    say(f"  {trial.in_year} of {CEILING} in {trial.day.year}; {trial.in_window} of {CEILING} in the fullest 365 days "
        f"around it, from {shown(trial.window)} until before {shown(last)}")  # fmt: skip
    for neighbour, where in ((trial.before, "after"), (trial.after, "before")):
        if neighbour is not None:
            days = abs((neighbour.day - trial.day).days)
            close = f", under {SPACING.days}: move it if you can" if neighbour in trial.too_close else ""
            say(f"  {days} days {where} {neighbour.title} ({shown(neighbour.day)}){close}")
    say(f"  it would reach {reach.clients} clients; for {reach.twelfth} it would be the twelfth message in 365 days")
    if reach.twelfth_at_most > reach.twelfth:
        say(f"  for up to {reach.twelfth_at_most} if every campaign planned before it reached them too")
    if reach.full:
        say(f"  {reach.full} clients have had twelve and would get nothing")


def _entry_json(entry: YearEntry | None) -> dict[str, object] | None:
    if entry is None:
        return None
    return {
        "day": entry.day,
        "title": entry.title,
        "standing": entry.standing.value,
        "kind": entry.kind,
        "name": entry.name,
        "sent": {channel.value: count for channel, count in sorted(entry.sent.items())},
    }


def _as_json(seen: Glance, suggested: Sequence[Suggestion]) -> dict[str, object]:
    return {
        "year": seen.year,
        "ceiling": CEILING,
        "taken": seen.taken,
        "left": seen.left,
        "first_free": seen.first_free,
        "counts": {standing.value: count for standing, count in seen.counts.items()},
        "months": [
            {"month": month, "campaigns": [_entry_json(each) for each in seen.of_month(month)]}
            for month in range(1, 13)
        ],
        "remarks": list(seen.remarks),
        "gaps": [{"first": gap.first, "last": gap.last, "days": gap.days} for gap in seen.gaps],
        "clusters": [
            {"closest_days": cluster.closest, "campaigns": [_entry_json(each) for each in cluster.entries]}
            for cluster in seen.clusters
        ],
        "suggestions": [
            {
                "send_on": each.send_on,
                "before": each.day,
                "names": list(each.names),
                "channels": [channel.value for channel in each.channels],
            }
            for each in suggested
        ],
    }


def _trial_json(what: WhatIf) -> dict[str, object]:
    trial, reach = what.trial, what.reach
    full = trial.full
    return {
        "name": what.campaign.name,
        "day": trial.day,
        "fits": what.fits,
        "full": full.period if full else None,
        "first_free": full.first_free if full else None,
        "is_past": what.is_past,
        "open_channels": [channel.value for channel in what.open_channels],
        "in_year": trial.in_year,
        "window": {"first": trial.window, "in_window": trial.in_window},
        "before": _entry_json(trial.before),
        "after": _entry_json(trial.after),
        "too_close": [_entry_json(each) for each in trial.too_close],
        "reach": {name: getattr(reach, name) for name in reach.__dataclass_fields__},
    }
