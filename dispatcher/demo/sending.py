"""A campaign goes out at its moment, and what the doubles received is held against what ought to have happened."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from dispatcher.demo.account import Received, Sent
from dispatcher.demo.clock import ZONE
from dispatcher.demo.people import Role
from dispatcher.demo.sample import Expected
from dispatcher.demo.scene import Progress, Scene, Taken
from dispatcher.demo.visitor import OPT_OUT_PATH, open_mail
from dispatcher.errors import RefusedError
from dispatcher.rules.campaign import Channel, Language, State
from dispatcher.rules.decision import Reason
from dispatcher.rules.message import MessageState, Outcome, OutcomeKind
from dispatcher.texts import reason_text

_ROUNDS_AT_MOST = 20
_CHANNEL_WORDS = {Channel.EMAIL.value: "emails", Channel.SMS.value: "text messages"}


def send_out(scene: Scene, name: str, title: str, expected: Expected) -> Taken:
    """Let a campaign's moment come, work until nothing of it is left to do, and check what arrived where."""
    campaign = scene.dispatcher.lifecycle.named(name)
    scene.clock.reach(campaign.send_at)
    scene.chapter(title)
    before = (len(scene.stage.mail.received), len(scene.stage.texts.received))
    with scene.teller.progress("messages") as tell:
        work = _Work(scene, name, tell)
        work.until_done()
    sent, taken = work.summed_up(), scene.received_since(*before)
    scene.account.campaigns.append(sent)
    scene.account.received.append(Received(name, len(taken.mails), len(taken.sms)))
    _tell(scene, sent)
    _check(scene, sent, taken, expected)
    return taken


class _Work:
    """Plans and delivers one campaign, round by round, as the sender process would over the hours."""

    def __init__(self, scene: Scene, name: str, tell: Progress) -> None:
        self._scene = scene
        self._name = name
        self._tell = tell
        self._planned = 0
        self._done = self._in_all = 0
        self._deferred = 0

    def until_done(self) -> None:
        """Work in rounds; between two of them the time passes that the next message waits for."""
        lifecycle, clock = self._scene.dispatcher.lifecycle, self._scene.clock
        for _ in range(_ROUNDS_AT_MOST):
            self._round()
            campaign = lifecycle.named(self._name)
            due = lifecycle.next_due(campaign.id)
            if campaign.state is State.FINISHED or due is None:
                return
            clock.reach(due)

    def summed_up(self) -> Sent:
        """Return the campaign as the program counts it."""
        lifecycle = self._scene.dispatcher.lifecycle
        campaign = lifecycle.named(self._name)
        standing = lifecycle.standing(campaign.id)
        accepted, refused, unknown = (
            Counter({channel: counts[state.value] for channel, counts in standing.messages.items()})
            for state in (MessageState.ACCEPTED, MessageState.REFUSED, MessageState.UNKNOWN)
        )
        return Sent(
            name=self._name,
            title=campaign.title,
            moment=campaign.send_at.astimezone(ZONE),
            planned=self._planned,
            accepted=accepted,
            refused=refused,
            unknown=unknown,
            deferred=self._deferred,
            withheld=standing.withheld,
        )

    def _round(self) -> None:
        for worked in asyncio.run(self._scene.dispatcher.rounds.once(on_outcome=self._count)):
            if worked.trouble:
                raise RefusedError(f"{worked.campaign.name}: {worked.trouble}")
            if worked.planned:
                self._planned += worked.planned.planned

    def _count(self, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.DEFERRED:
            self._deferred += 1
            return
        if not self._in_all:
            # Planning is over by the time of the first outcome, so how many there will be is known.
            lifecycle = self._scene.dispatcher.lifecycle
            standing = lifecycle.standing(lifecycle.named(self._name).id)
            self._in_all = sum(counts.total() for counts in standing.messages.values())
        self._done += 1
        self._tell(self._done, self._in_all)


def _tell(scene: Scene, sent: Sent) -> None:
    scene.say(f"  {sent.title}: {sent.planned} messages planned, {sent.withheld.total()} clients left out.")
    for channel, words in _CHANNEL_WORDS.items():
        extra = [f"{sent.refused[channel]} refused for good"] if sent.refused[channel] else []
        extra += [f"{sent.unknown[channel]} unknown (no receipt, so never sent again)"] if sent.unknown[channel] else []
        scene.say(f"    {sent.accepted[channel]:>4} {words} accepted{''.join(f', {more}' for more in extra)}")
    if sent.deferred:
        scene.say(f"    {sent.deferred:>4} was put off by a busy mail server and went a few minutes later")
    scene.say("  Left out, and why:")
    for reason, count in sent.withheld.most_common():
        scene.say(f"    {count:>4} {reason_text(Reason(reason), Language.EN)}")


def _check(scene: Scene, sent: Sent, taken: Taken, expected: Expected) -> None:
    """Hold what the doubles received against what the sample says, and the program's own counts against both."""
    check, name = scene.account.check, sent.name
    refused = _refused_addresses(scene)
    mails, sms = Counter(m.recipient for m in taken.mails), Counter(s.recipient for s in taken.sms)
    check(f"{name}: messages planned", expected.planned, sent.planned)
    check(
        f"{name}: a mail for each who said yes to it, one, and for nobody else",
        *_compared(expected.emails - refused, mails),
    )
    check(
        f"{name}: a text for each who said yes to it, one, and for nobody else",
        *_compared(expected.numbers - refused, sms),
    )
    check(f"{name}: left out, by reason", _sorted(expected.withheld), _sorted(sent.withheld))
    for channel, arrived in ((Channel.EMAIL.value, len(taken.mails)), (Channel.SMS.value, len(taken.sms))):
        handed_over = sent.accepted[channel] + sent.unknown[channel]
        check(f"{name}: {_CHANNEL_WORDS[channel]} accepted are those that arrived", arrived, handed_over)
    with_link = sum(_can_be_left(mail.content) for mail in taken.mails)
    check(f"{name}: every mail has the link in both parts, and the one-click headers", len(taken.mails), with_link)
    with_link = sum(f"{scene.stage.public_url}{OPT_OUT_PATH}" in text.text for text in taken.sms)
    check(f"{name}: every text message has the link", len(taken.sms), with_link)


def _refused_addresses(scene: Scene) -> frozenset[str]:
    gone, blocked = scene.sample.played(Role.GONE), scene.sample.played(Role.BLOCKED)
    return frozenset({gone.email or "", blocked.mobile or ""})


def _compared(expected: Iterable[str], arrived: Counter[str]) -> tuple[dict[str, int], dict[str, int]]:
    wanted = frozenset(expected)
    found = {
        "missing": len(wanted - arrived.keys()),
        "unwanted": len(arrived.keys() - wanted),
        "twice": sum(count > 1 for count in arrived.values()),
        "reached": len(wanted & arrived.keys()),
    }
    return {"missing": 0, "unwanted": 0, "twice": 0, "reached": len(wanted)}, found


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _can_be_left(content: bytes) -> bool:
    mail = open_mail(content)
    return mail.opt_out_link() is not None and mail.one_click_url is not None
