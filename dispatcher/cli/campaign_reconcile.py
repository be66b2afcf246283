"""`dispatcher campaign reconcile`: what became of messages whose reply was lost."""

import asyncio
from pathlib import Path

import click

from dispatcher.cli.campaign import campaign
from dispatcher.cli.door import Door, confirm, json_option, note, pass_door, progress, say, say_json
from dispatcher.flow.from_logs import LogFindings
from dispatcher.flow.reconciling import Unknowns
from dispatcher.wiring import Dispatcher

_FORTUNES = {
    "seen": "taken by the mail server",
    "queued": "taken by the mail server and passed on, or still in its queue",
    "bounced": "taken by the mail server, and given up later",
    "refused": "not taken by the mail server",
}


@campaign.command()
@click.argument("name")
@click.option(
    "--from-log",
    "logs",
    multiple=True,
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="A mail server's log (Postfix, Exim or any that has Message-IDs; .gz too; - for standard input). Several are "
    "read in the order given, oldest first.",
)
@click.option("--dry-run", is_flag=True, help="Show what the logs tell; record nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_door
def reconcile(door: Door, name: str, logs: tuple[Path, ...], *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Find out what became of the messages of which nobody knows whether they arrived.

    Without a log the SMS service is asked, and the mails are counted. A mail server's log tells which mails it took, by
    their Message-ID. What is in no log stays unknown: the log may not reach as far. Nothing is ever sent again by this.

    \b
    Example:
      dispatcher campaign reconcile 2026-03-kevat --from-log /var/log/mail.log.1 --from-log /var/log/mail.log
    """
    with door.open() as dispatcher:
        if logs:
            _from_logs(door, dispatcher, name, logs, dry_run=dry_run, yes=yes, as_json=as_json)
        else:
            _ask(dispatcher, name, dry_run=dry_run, as_json=as_json)


def _ask(dispatcher: Dispatcher, name: str, *, dry_run: bool, as_json: bool) -> None:
    scheduled = dispatcher.lifecycle.named(name)
    before = dispatcher.reconciling.unknowns(scheduled)
    asked = None
    if before.total and not dry_run:
        with progress("messages asked about") as tell:
            rows = dispatcher.reconciling.rows(scheduled)
            asked = asyncio.run(dispatcher.reconciling.ask(rows, lambda done: tell(done, before.askable)))
    after = dispatcher.reconciling.unknowns(scheduled)
    found = asked.found if asked else 0
    missing, unanswered = (asked.missing, asked.unanswered) if asked else (0, 0)
    if as_json:
        say_json(
            {
                "name": name,
                "unknown": before.total,
                "found": found,
                "missing": missing,
                "unanswered": unanswered,
                "still_unknown": dict(after.by_channel),
                "may_have_arrived": after.given_up,
            }
        )
        return
    say(f"{name}: {_many(before.total)} of which nobody knows whether they arrived.")
    if found:
        say(f"  {found:>6}  had been taken: accepted")
    if missing:
        say(f"  {missing:>6}  not to be told from others in the provider's list, or not in it: still unknown")
    if unanswered:
        say(f"  {unanswered:>6}  the provider did not say: try again later")
    _say_left(name, after)


def _from_logs(
    door: Door, dispatcher: Dispatcher, name: str, logs: tuple[Path, ...], *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    actor = door.actor(dispatcher)
    scheduled = dispatcher.lifecycle.named(name)
    with progress("bytes of the logs") as tell:
        found = dispatcher.from_logs.look(scheduled, logs, tell)
    if not as_json:
        _say_found(name, found)
    is_recorded = bool(found.traced) and not dry_run
    if is_recorded:
        if not yes:
            confirm(f"Record this of {_many(len(found.traced))}? It cannot be undone")
        dispatcher.from_logs.record(found, actor)
    after = dispatcher.reconciling.unknowns(scheduled)
    if as_json:
        say_json(
            {
                "name": name,
                "unknown": found.unknown,
                **found.counts,
                "missing": found.missing,
                "recorded": is_recorded,
                "still_unknown": dict(after.by_channel),
                "may_have_arrived": after.given_up,
            }
        )
    elif is_recorded:
        say("Recorded.")
        _say_left(name, after)


def _say_found(name: str, found: LogFindings) -> None:
    say(f"{name}: {_many(found.unknown, 'mail')} of which nobody knows whether they arrived.")
    for fortune, words in _FORTUNES.items():
        if found.counts[fortune]:
            say(f"  {found.counts[fortune]:>6}  {words}")
    if found.missing:
        say(f"  {found.missing:>6}  not in these logs: still unknown")
        note(
            "What is in no log may have been taken all the same: logs begin too late, end too early, or are another's."
        )


def _say_left(name: str, left: Unknowns) -> None:
    if left.total:
        kinds = " and ".join(f"{count} by {channel}" for channel, count in left.by_channel.items())
        say(f"  still unknown: {kinds}; they count as received and are not sent again")
    if left.given_up:
        say(f"  {left.given_up:>6}  of these were given up on after seven days: they may have arrived")
    if left.by_channel.get("email"):
        say(f"  mails: `dispatcher campaign reconcile {name} --from-log FILE` with your mail server's log")


def _many(count: int, what: str = "message") -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


COMMANDS = ()
