"""`dispatcher today`: what needs you now."""

import click

from dispatcher.cli.door import Door, json_option, pass_door, say, say_json


@click.command()
@click.option("--seen", is_flag=True, help="You have seen what is held and overdue: no more reminders of it by mail.")
@json_option
@pass_door
@click.pass_context
def today(context: click.Context, door: Door, *, seen: bool, as_json: bool) -> None:
    """Show in five lines what needs you now, and what to type. The exit code is 1 where something does.

    \b
    Example:
      dispatcher today
      dispatcher today --seen
      dispatcher today --json
    """
    with door.open_to_all() as dispatcher:
        count = dispatcher.alerts.see(door.actor(dispatcher)) if seen else None
        report = dispatcher.today.look()
    if as_json:
        say_json({**report.as_json(), **({} if count is None else {"marked_as_seen": count})})
    else:
        for line in report.lines:
            say(f"{'!' if line.needs_somebody else ' '} {line.said}{f'  ->  {line.command}' if line.command else ''}")
        if count is not None:
            what = "reminder is" if count == 1 else "reminders are"
            say(f"{count} {what} marked as seen.")
    context.exit(1 if report.needs_somebody else 0)


COMMANDS = (today,)
