"""`dispatcher audit verify`, `seals`, `bundle` and `close`: what proves an audit, and what is handed out of it."""

from pathlib import Path

import click

from dispatcher.cli.door import Door, json_option, pass_door, progress, say, say_json
from dispatcher.flow.audit_bundle import BundleFound, check_bundle
from dispatcher.flow.audit_damage import Verification
from dispatcher.rules.campaign import Language
from dispatcher.texts import counted

_YEAR = click.IntRange(2000, 9998)


@click.command()
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@json_option
@pass_door
@click.pass_context
def verify(context: click.Context, door: Door, bundle: Path | None, *, as_json: bool) -> None:
    """Check every entry of the ledger, its chains, seals and messages. Exit code 1 if anything does not hold.

    Every message is decided again from the entries before it, and the ledger is held against its seals, the journal,
    the outbox and what providers told. With a BUNDLE, that file is checked instead: on any machine, with no database.

    \b
    Example:
      dispatcher audit verify
      dispatcher audit verify audit-2026.zip
    """
    if bundle is not None:
        found = check_bundle(bundle)
        _tell_bundle(found, as_json=as_json)
        context.exit(0 if found.ok else 1)
    with door.open_to_all() as dispatcher, progress("entries") as tell:
        verified = dispatcher.audit.verify(tell)
    if as_json:
        say_json(verified.as_json())
    else:
        _tell(verified)
    context.exit(0 if verified.ok else 1)


@click.command()
@json_option
@pass_door
def seals(door: Door, *, as_json: bool) -> None:
    """List the seals, to be compared with the mails and papers they stand on.

    \b
    Example:
      dispatcher audit seals
    """
    with door.open_to_all() as dispatcher:
        told, _ = dispatcher.auditing.sealing.known()
    if as_json:
        say_json({"seals": [{**seal.as_json(), "words": seal.words()} for seal in told]})
        return
    for seal in told:
        about = f"{seal.reason.value} {seal.about}" if seal.about else seal.reason.value
        say(f"{seal.number:>5}  {seal.at:%Y-%m-%d %H:%M} UTC  {about:<9}  {seal.words()}")
    say(f"{_counted('seals', len(told))}." if told else "There is no seal yet: `dispatcher run` sets one every day.")


@click.command("bundle")
@click.argument("year", type=_YEAR)
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; audit-YEAR.zip if left out.")
@json_option
@pass_door
@click.pass_context
def make_bundle(context: click.Context, door: Door, year: int, out: Path | None, *, as_json: bool) -> None:
    """Write a year as one file that anybody can check: `dispatcher audit verify FILE`, or another program.

    It holds the ledger, in which clients are numbers, the wordings, the campaigns as they were sent, keys and seals.
    Exit code 1 if a promise of the year was broken; the file is written all the same.

    \b
    Example:
      dispatcher audit bundle 2026
    """
    path = out or Path(f"audit-{year}.zip")
    with door.open_to_all() as dispatcher, progress("entries") as tell:
        audited = dispatcher.auditing.bundling.write(year, path, tell)
    if as_json:
        say_json({"file": str(path), "year": year, "ok": audited.ok, "findings": list(audited.findings)})
    else:
        for finding in audited.findings:
            say(finding)
        say(f"{path} holds the year {year}. Check it anywhere: dispatcher audit verify {path}")
    context.exit(0 if audited.ok else 1)


@click.command("close")
@click.argument("year", type=_YEAR)
@json_option
@pass_door
@click.pass_context
def close_year(context: click.Context, door: Door, year: int, *, as_json: bool) -> None:
    """Close a year from 2 January on: verify it, decide every message again, seal it, write page and bundle.

    They lie in audits/YEAR in the workspace, and owners are told by mail; `dispatcher run` does it by itself. Exit code
    1 if anything does not hold, or if the year cannot be closed.

    \b
    Example:
      dispatcher audit close 2026
    """
    with door.open() as dispatcher, progress("entries") as tell:
        closed = dispatcher.auditing.closing.close(year, door.actor(dispatcher), tell)
    if as_json:
        say_json(closed.as_json())
    else:
        for finding in closed.findings:
            say(finding)
        say(_decided(closed.decided))
        say(f"The year {year} is closed under seal {closed.seal.number}: {closed.seal.words()}.")
        for path in closed.files:
            say(f"  {path}")
        if closed.unwritten is not None:
            say(f"No PDF was written: {closed.unwritten}")
    context.exit(1 if closed.findings else 0)


def _tell(found: Verification) -> None:
    for sentence in (*found.findings, *found.remarks):
        say(sentence)
    say(_decided(found.decided))
    entries, groups = _counted("entries", found.entries), _counted("in_groups", found.groups)
    say(f"{entries} in {groups}: {'whole' if found.ok else 'BROKEN'}.")


def _decided(count: int) -> str:
    return f"Decided again from the entries before it, message by message: {_counted('messages', count)}."


def _counted(noun: str, count: int) -> str:
    return counted(noun, count, Language.EN)


def _tell_bundle(found: BundleFound, *, as_json: bool) -> None:
    if as_json:
        say_json(found.as_json())
        return
    _tell(found.verification)
    if found.last_seal is not None:
        say(f"Compare with paper: seal {found.last_seal.number} reads {found.last_seal.words()}.")
    say(f"Compare with paper: the key reads {found.key}.")


PROOFS = (verify, seals, make_bundle, close_year)
"""The commands that the group `audit` has beside those of the year."""
