"""Five clients leave: by link, by button, at the desk, by answering a text message, and by answering a mail."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from dispatcher.demo.account import Left
from dispatcher.demo.clock import ZONE
from dispatcher.demo.people import LEAVERS, Person, Role
from dispatcher.demo.scene import Scene, Taken
from dispatcher.demo.visitor import (
    OpenedMail,
    Page,
    answer_to,
    look,
    open_mail,
    press_button,
    press_one_click,
    put_letter,
)
from dispatcher.rules.consent import Place, Reply

_OK = 200
_WHEN = {
    Role.LINK: datetime(2026, 2, 10, 10, 42, tzinfo=ZONE),
    Role.ONE_CLICK: datetime(2026, 2, 10, 18, 5, tzinfo=ZONE),
    Role.DESK: datetime(2026, 2, 12, 9, 30, tzinfo=ZONE),
    Role.TEXT: datetime(2026, 2, 12, 20, 15, tzinfo=ZONE),
    Role.LETTER: datetime(2026, 2, 13, 7, 50, tzinfo=ZONE),
}
_SAYS = "En halua enää näitä viestejä."


def let_five_leave(scene: Scene, first: Taken) -> None:
    """Let each of the five say no in their own way, using only what they received."""
    scene.clock.reach(_WHEN[Role.LINK])
    scene.chapter("3. Five clients leave")
    _by_link(scene, first)
    scene.clock.reach(_WHEN[Role.ONE_CLICK])
    _by_one_click(scene, first)
    scene.clock.reach(_WHEN[Role.DESK])
    _at_the_desk(scene)
    scene.clock.reach(_WHEN[Role.TEXT])
    _by_text(scene, first)
    scene.clock.reach(_WHEN[Role.LETTER])
    _by_letter(scene, first)


def check_silence(scene: Scene, first: Taken, second: Taken) -> None:
    """Look through everything the doubles received for the five who left."""
    scene.say("  And the five who left?")
    for role in LEAVERS:
        person = scene.sample.played(role)
        counts = [taken.messages_for(person.email, person.mobile) for taken in (first, second)]
        left = Left(role, person.name, _WHEN[role], counts[0], counts[1])
        scene.account.left.append(left)
        scene.account.check(f"{role.value}: messages before and after", [1, 0], counts)
        scene.say(f"    {person.name}: {counts[0]} message in February, {counts[1] or 'silence'} in March.")


def _by_link(scene: Scene, first: Taken) -> None:
    person = scene.sample.played(Role.LINK)
    mail = _mail_of(person, first)
    link = mail.opt_out_link() if mail else None
    known = len(_replies(scene, person))
    page = look(link) if link else None
    opened_only = len(_replies(scene, person))
    done = press_button(page) if page else None
    scene.say(
        f"  {person.name} opens her mail and follows the link at its end. The page asks; opening it has changed",
        "  nothing, since link scanners open every link too. She presses the button, and now it is done.",
    )
    scene.account.check("opening the link shows a page and changes nothing", [_OK, known], [_status(page), opened_only])
    scene.account.check("the button on the page withdraws", [_OK, *_NO_BY_LINK], [_status(done), *_last(scene, person)])


def _by_one_click(scene: Scene, first: Taken) -> None:
    person = scene.sample.played(Role.ONE_CLICK)
    mail = _mail_of(person, first)
    url = mail.one_click_url if mail else None
    done = press_one_click(url) if url else None
    scene.say(
        f"  {person.name} sees no page at all: his mail program's own button posts to the address in the header",
        "  (RFC 8058), and that is enough.",
    )
    found = [_status(done), *_last(scene, person)]
    scene.account.check("one click withdraws", [_OK, Reply.WITHDRAWN.value, None, Place.ONE_CLICK.value], found)


def _at_the_desk(scene: Scene) -> None:
    person = scene.sample.played(Role.DESK)
    scene.dispatcher.preferences.withdraw(scene.dispatcher.register.find(person.mobile or person.name), scene.owner)
    scene.say(f"  {person.name}, who gets text messages, says it at the desk, in one sentence.")
    expected = [Reply.WITHDRAWN.value, None, Place.DESK.value]
    scene.account.check("a word at the desk withdraws", expected, _last(scene, person))


def _by_text(scene: Scene, first: Taken) -> None:
    person, texts = scene.sample.played(Role.TEXT), scene.stage.texts
    offer = next((text for text in first.sms if text.recipient == person.mobile), None)
    if offer is not None:
        texts.text_in(offer.recipient, offer.sender, "LOPETA")
    known, before = len(_replies(scene, person)), len(texts.received)
    asyncio.run(scene.dispatcher.doors.read())
    asyncio.run(scene.dispatcher.services.once())
    after = len(_replies(scene, person))
    scene.say(
        f"  {person.name} answers his text message with LOPETA. The program reads the service's list of what came in",
        "  before anything leaves, finds it there, and confirms it by one plain text.",
    )
    scene.account.check("a LOPETA by text withdraws", [*_NO_BY_TEXT, known + 1], [*_last(scene, person), after])
    confirmed = [text.recipient for text in texts.received[before:]]
    scene.account.check("a LOPETA by text is confirmed once", [person.mobile], confirmed)


def _by_letter(scene: Scene, first: Taken) -> None:
    person = scene.sample.played(Role.LETTER)
    mail = _mail_of(person, first)
    if mail is not None:
        put_letter(scene.places.letters, answer_to(mail, person.email or "", _SAYS), scene.clock())
    asyncio.run(scene.dispatcher.doors.read())
    scene.say(
        f'  {person.name} simply answers the mail: "{_SAYS}" The answer lies in the studio\'s inbox, and the',
        "  program knows by the address it came to whose no it is. It keeps nothing of the letter's words.",
    )
    scene.account.check("a no by letter withdraws", [*_NO_BY_LETTER], _last(scene, person))
    unread = scene.dispatcher.doors.unread()
    scene.account.check("every door a no comes by has been read", [[], 2], [unread, len(scene.dispatcher.doors.rows())])


_NO_BY_TEXT = (Reply.WITHDRAWN.value, None, Place.SMS_REPLY.value)
_NO_BY_LETTER = (Reply.WITHDRAWN.value, None, Place.MAILTO.value)
_NO_BY_LINK = (Reply.WITHDRAWN.value, None, Place.LINK.value)


def _mail_of(person: Person, taken: Taken) -> OpenedMail | None:
    return next((open_mail(mail.content) for mail in taken.mails if mail.recipient == person.email), None)


def _status(page: Page | None) -> int | None:
    return page.status if page else None


def _replies(scene: Scene, person: Person) -> Sequence[object]:
    register = scene.dispatcher.register
    return register.history(register.find(person.mobile or person.name))


def _last(scene: Scene, person: Person) -> list[str | None]:
    """Return what a client said last: the reply, the channel if one was named, and where."""
    register = scene.dispatcher.register
    answer = register.history(register.find(person.mobile or person.name))[-1].answer
    channel, place = answer.channel, answer.place
    return [answer.reply.value, channel.value if channel else None, place.value if place else None]
