"""Three clients leave: by the link in the mail, by the mail program's own button, and at the desk."""

from collections.abc import Sequence
from datetime import datetime

from dispatcher.demo.account import Left
from dispatcher.demo.clock import ZONE
from dispatcher.demo.people import LEAVERS, Person, Role
from dispatcher.demo.scene import Scene, Taken
from dispatcher.demo.visitor import OpenedMail, Page, look, open_mail, press_button, press_one_click
from dispatcher.rules.consent import Place, Reply

_OK = 200
_WHEN = {
    Role.LINK: datetime(2026, 2, 10, 10, 42, tzinfo=ZONE),
    Role.ONE_CLICK: datetime(2026, 2, 10, 18, 5, tzinfo=ZONE),
    Role.DESK: datetime(2026, 2, 12, 9, 30, tzinfo=ZONE),
}


def let_three_leave(scene: Scene, first: Taken) -> None:
    """Let each of the three say no in their own way, using only what they received."""
    scene.clock.reach(_WHEN[Role.LINK])
    scene.chapter("3. Three clients leave")
    _by_link(scene, first)
    scene.clock.reach(_WHEN[Role.ONE_CLICK])
    _by_one_click(scene, first)
    scene.clock.reach(_WHEN[Role.DESK])
    _at_the_desk(scene)


def check_silence(scene: Scene, first: Taken, second: Taken) -> None:
    """Look through everything the doubles received for the three who left."""
    scene.say("  And the three who left?")
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
