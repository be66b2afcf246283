"""`dispatcher client export|correct|restrict`: a copy of their data, data put right, data left alone."""

from pathlib import Path

import click

from dispatcher.cli.client import client
from dispatcher.cli.door import Door, json_option, note, pass_door, say, say_json
from dispatcher.cli.files import keep, keep_for_now
from dispatcher.errors import RenderingError
from dispatcher.flow.access import Access, Copy
from dispatcher.flow.correcting import Corrected, Correction
from dispatcher.flow.papers import Form, form_of, json_bytes, written
from dispatcher.rules.campaign import Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.rights import IdentityCheck

_LANGUAGES = click.Choice([language.value for language in Language])
identity_option = click.option(
    "--identity",
    type=click.Choice([check.value for check in IdentityCheck]),
    help="How you made sure that it is the client who asks.",
)


@client.command()
@click.argument("words", metavar="CLIENT")
@click.option("--out", type=click.Path(path_type=Path), help="A directory, or a file ending in .json, .html or .pdf.")
@click.option("--show", is_flag=True, help="Make a page to show at the desk, and print where it is.")
@identity_option
@click.option("--language", type=_LANGUAGES, help="Another language than the client's.")
@click.option("--keep-open", is_flag=True, help="Leave the request open: the copy is handed over later.")
@json_option
@pass_door
def export(
    door: Door,
    words: str,
    out: Path | None,
    identity: str | None,
    language: str | None,
    *,
    show: bool,
    keep_open: bool,
    as_json: bool,
) -> None:
    """Give a client a copy of everything that is kept of them, and put the request and its answer on record.

    Delete the files once they have been handed over.

    \b
    Example:
      dispatcher client export maija.virtanen@posti.example --out copies --identity document
    """
    if not (out or show or as_json):
        raise click.UsageError("Say where the copy goes: --out DIR, --show or --json.")
    with door.open_to_all() as dispatcher:
        actor = door.whoever(dispatcher)
        number = door.client(dispatcher, words)
        check = IdentityCheck(identity) if identity else None
        request, copy = dispatcher.access.asked(number, check, actor, Language(language) if language else None)
        files = _kept(dispatcher.access, copy, out) if out else []
        files += [keep_for_now(f"client-{number}.html", _bytes(dispatcher.access, copy, Form.HTML))] if show else []
        if not keep_open:
            dispatcher.requests.close(request, "done", actor)
        made = dispatcher.access.as_json(copy)
    if as_json:
        say_json({"request": request, "closed": not keep_open, "files": [str(path) for path in files], "copy": made})
        return
    for path in files:
        say(str(path))
    if keep_open:
        note(f"Request {request} stays open: when it is handed over, `dispatcher client request --close {request}`.")
    else:
        note(f"Request {request} is closed. Delete the files once the client has them.")


@client.command()
@click.argument("words", metavar="CLIENT")
@click.option("--first-name", help="The right first name.")
@click.option("--last-name", help="The right last name.")
@click.option("--email", help="The right email address.")
@click.option("--phone", help="The right mobile number.")
@click.option("--language", type=_LANGUAGES, help="The right language.")
@click.option("--answer", type=click.Choice(["granted", "declined", "withdrawn"]), help="To today's question.")
@click.option("--place", type=click.Choice([place.value for place in Place]), help="Where it was answered.")
@identity_option
@json_option
@pass_door
def correct(
    door: Door,
    /,
    words: str,
    answer: str | None,
    place: str | None,
    identity: str | None,
    language: str | None,
    *,
    as_json: bool,
    **names: str | None,
) -> None:
    """Put right what is wrong about a client.

    A new address carries no yes from before, until the client is asked again: in the same breath with --answer, or at
    the next booking. A no follows the client to the new address, and stays for the old one.

    \b
    Example:
      dispatcher client correct 0401234567 --email maija@posti.example --answer granted --place phone --identity known
    """
    if (answer is None) != (place is None):
        raise click.UsageError("--answer and --place belong together: what was answered, and where.")
    correction = Correction(**names, language=Language(language) if language else None)
    said = (Reply(answer), Place(place)) if answer and place else None
    with door.open() as dispatcher:
        number = door.client(dispatcher, words)
        check = IdentityCheck(identity) if identity else None
        done = dispatcher.correcting.correct(number, correction, check, door.actor(dispatcher), said=said)
    if as_json:
        say_json({"client": number, **done.as_json()})
    else:
        _say_corrected(number, done)


@client.command()
@click.argument("words", metavar="CLIENT")
@click.option("--lift", is_flag=True, help="End the restriction; tell the client before you do.")
@identity_option
@json_option
@pass_door
def restrict(door: Door, words: str, identity: str | None, *, lift: bool, as_json: bool) -> None:
    """Keep a client's data and use them for nothing: nothing is sent, and nothing removed.

    \b
    Example:
      dispatcher client restrict maija.virtanen@posti.example --identity called_back
    """
    with door.open() as dispatcher:
        actor = door.actor(dispatcher)
        number = door.client(dispatcher, words)
        request, closed, waiting = None, True, []
        if lift:
            dispatcher.correcting.lift(number, actor)
            waiting = dispatcher.requests.listed(client=number)
        else:
            check = IdentityCheck(identity) if identity else None
            request, closed = dispatcher.correcting.restrict(number, check, actor)
    if as_json:
        say_json({"client": number, "restricted": not lift, "request": request, "closed": closed})
        return
    say(f"Client {number} is {'no longer ' if lift else ''}restricted.")
    for each in waiting:
        note(f"Request {each.id} ({each.kind}) is still open, and marketing rests until it has its answer:")
        note(f"`dispatcher client request --close {each.id}{'' if each.identity else ' --identity HOW'}`.")
    if not closed:
        note(f"Say how you know who asks: `dispatcher client request --close {request} --identity HOW`.")


def _kept(access: Access, copy: Copy, out: Path) -> list[Path]:
    """Write the copy into one file, or into a directory as every form there is."""
    if out.suffix:
        return [keep(out, _bytes(access, copy, form_of(out, Form.JSON, Form.HTML, Form.PDF)))]
    contents = {form: _bytes(access, copy, form) for form in (Form.JSON, Form.HTML)}
    try:
        contents[Form.PDF] = _bytes(access, copy, Form.PDF)
    except RenderingError as error:
        note(f"There is no PDF. {error}")
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [keep(out / f"client-{copy.client.number}.{form}", content) for form, content in contents.items()]


def _bytes(access: Access, copy: Copy, form: Form) -> bytes:
    return json_bytes(access.as_json(copy)) if form is Form.JSON else written(access.paper(copy), form)


def _say_corrected(number: int, done: Corrected) -> None:
    changed = [name.replace("_", " ") for name in done.values]
    changed += [f"{channel} {address}" for channel, address in done.addresses.items()]
    say(f"Client {number}: {', '.join(changed) or 'nothing'} changed; request {done.request} is closed.")
    for channel, count in done.shared_with.items():
        say(f"  {count} other client{'s have' if count != 1 else ' has'} the same {channel} address.")
    for channel in done.closed:
        say(f"  No yes carries over to the new {channel} address: ask again.")


COMMANDS = ()
