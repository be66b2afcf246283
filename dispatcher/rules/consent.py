"""What a client's answers add up to: one fold, used by every verdict and every page."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from dispatcher.rules.campaign import Channel
from dispatcher.rules.values import value

VALID_FOR = timedelta(days=365)
"""How long a yes stands, unless the settings say less (L-08)."""
_SAME_PRESS = timedelta(minutes=1)
"""How long a press and its repetition by a mail program or an impatient hand are one (E-10)."""


class Reply(StrEnum):
    """What was answered to the marketing question."""

    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    NOT_ASKED = "not_asked"


class Place(StrEnum):
    """Where an answer was collected."""

    ONLINE = "online"
    PHONE = "phone"
    EMAIL = "email"
    IN_PERSON = "in_person"
    SIGN_UP = "sign_up"
    RENEWAL = "renewal"
    PREFERENCES = "preferences"
    LINK = "link"
    ONE_CLICK = "one_click"
    SMS_REPLY = "sms_reply"
    MAILTO = "mailto"
    COMPLAINT = "complaint"
    PROVIDER = "provider"
    DESK = "desk"


class ConsentState(StrEnum):
    """What the answers for one channel add up to now."""

    NEVER_ASKED = "never_asked"
    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Flaw(StrEnum):
    """Why a yes on record cannot be used, in the order in which it is reported (rules.md, C5)."""

    INCOMPLETE_EVIDENCE = "consent_incomplete_evidence"
    TIME_UNKNOWN = "consent_time_unknown"
    EXPIRED = "consent_expired"


@value
class Answer:
    """One recorded reply to the marketing question.

    `channel` is None for a no that names no channel; it closes every channel (L-01). The real-world time is the span
    from `not_before` to `not_after`, both aware UTC, either or both unknown. `recorded_at` is when the program learned
    of it. `entry` is the number of its ledger entry. `sound`: a yes to this question can open this channel, because its
    words name the channel and nothing was ticked beforehand (L-03). `source` is the number of the source whose replies
    are the evidence, where there is one.
    """

    entry: int
    reply: Reply
    channel: Channel | None
    not_before: datetime | None
    not_after: datetime | None
    recorded_at: datetime
    place: Place | None = None
    wording: str | None = None
    sound: bool = True
    source: int | None = None

    def concerns(self, channel: Channel) -> bool:
        """Say whether the answer speaks about this channel."""
        return self.channel is None or self.channel is channel

    def latest(self) -> datetime:
        """Return the last instant at which the answer can have been given: at the latest when it was recorded.

        A clock that runs ahead of ours may put the beginning later still; a no then counts from there.
        """
        end = self.not_after or self.recorded_at
        return max(end, self.not_before) if self.not_before else end

    def ends_at(self, valid_for: timedelta) -> datetime | None:
        """Return the first instant at which this yes no longer holds, or None where it has no time to count from."""
        return self.not_before + valid_for if self.not_before else None

    def is_ending(self, now: datetime, valid_for: timedelta, within: timedelta) -> bool:
        """Say whether this yes still holds now and ends within this time: then a campaign asks for it anew (L-09)."""
        ends_at = self.ends_at(valid_for)
        return ends_at is not None and ends_at - within <= now < ends_at

    def flaw(self, now: datetime, valid_for: timedelta) -> Flaw | None:
        """Return why this yes cannot be used now, or None (L-04, L-07, L-08).

        A yes that names no channel opens none, nor does one to an unsound question (L-03); one whose span ends before
        it begins has no time to count from.
        """
        if not self.wording or self.place is None or self.channel is None or not self.sound:
            return Flaw.INCOMPLETE_EVIDENCE
        if self.not_before is None or now < self.not_before:
            return Flaw.TIME_UNKNOWN
        if self.not_after is not None and self.not_after < self.not_before:
            return Flaw.TIME_UNKNOWN
        return Flaw.EXPIRED if now >= self.not_before + valid_for else None


def as_it_counts(answer: Answer, voided: Collection[int]) -> Answer:
    """Return an answer as it counts now that these sources are void: a yes that rests on one opens nothing (L-03)."""
    return replace(answer, sound=False) if answer.source in voided and answer.reply is Reply.GRANTED else answer


@value
class Consent:
    """What a client's answers mean for one channel now.

    `answer` is the one the state rests on. `objected` says that an objection stands; `flaw` why a yes that nothing
    contradicts cannot be used. `ends_at` is the first instant at which a standing yes no longer holds.
    """

    state: ConsentState
    answer: Answer | None = None
    objected: bool = False
    flaw: Flaw | None = None
    ends_at: datetime | None = None


def fold(answers: Iterable[Answer], channel: Channel, now: datetime, valid_for: timedelta = VALID_FOR) -> Consent:
    """Add up the answers for one channel, whatever the order in which they arrived.

    A yes stands only if it began strictly after every no can have been given: a tie, or a no inside the span of the
    yes, refuses (L-07). `not asked` changes nothing (L-06). An objection is lifted only by a later explicit yes that
    can be shown: one without wording, place, channel or time lifts nothing (L-04).
    """
    yeses: list[Answer] = []
    noes: list[Answer] = []
    for answer in answers:
        if answer.reply is not Reply.NOT_ASKED and answer.concerns(channel):
            (yeses if answer.reply is Reply.GRANTED else noes).append(answer)
    last_no = max(noes, key=_no_rank) if noes else None
    open_yeses = yeses if last_no is None else [a for a in yeses if _begins_after(a, last_no)]
    usable = [a for a in open_yeses if a.flaw(now, valid_for) is None]
    if usable:
        best = usable[0] if len(usable) == 1 else max(usable, key=lambda a: (a.not_before, a.entry))
        return Consent(ConsentState.GRANTED, best, ends_at=best.ends_at(valid_for))
    flawed = min(open_yeses, key=lambda a: _flaw_rank(a, now, valid_for), default=None)
    flaw = flawed.flaw(now, valid_for) if flawed else None
    objection = max((a for a in noes if a.reply is Reply.WITHDRAWN), key=_no_rank, default=None)
    shown = [a for a in yeses if a.flaw(now, valid_for) in {None, Flaw.EXPIRED}]
    objected = objection is not None and not any(_begins_after(a, objection) for a in shown)
    if objected:
        return Consent(ConsentState.WITHDRAWN, objection, objected=True, flaw=flaw)
    if flawed is not None and flaw is Flaw.EXPIRED:
        return Consent(ConsentState.EXPIRED, flawed, flaw=flaw)
    if last_no is not None:
        state = ConsentState.WITHDRAWN if last_no.reply is Reply.WITHDRAWN else ConsentState.DECLINED
        return Consent(state, last_no, flaw=flaw)
    return Consent(ConsentState.NEVER_ASKED, flawed, flaw=flaw)


def is_repeated(answers: Sequence[Answer], channel: Channel | None, now: datetime) -> bool:
    """Say whether a withdrawal said now only repeats one of less than a minute ago, so that it adds nothing (E-10).

    `channel` is what it closes, None for every channel. It repeats nothing where a yes was given in between.
    """
    noes = [a for a in answers if a.reply is Reply.WITHDRAWN and a.channel in {None, channel}]
    yeses = [a for a in answers if a.reply is Reply.GRANTED and (channel is None or a.concerns(channel))]
    return any(now - no.latest() < _SAME_PRESS and not any(_begins_after(a, no) for a in yeses) for no in noes)


def _begins_after(yes: Answer, no: Answer) -> bool:
    """Say whether the yes was certainly given after the no."""
    return yes.not_before is not None and yes.not_before > no.latest()


def _no_rank(no: Answer) -> tuple[datetime, bool, int]:
    return (no.latest(), no.reply is Reply.WITHDRAWN, no.entry)


def _flaw_rank(yes: Answer, now: datetime, valid_for: timedelta) -> tuple[int, float, int]:
    """Order open yeses so that the one a person should hear about comes first: the nearest to usable, newest first."""
    order = (Flaw.EXPIRED, Flaw.TIME_UNKNOWN, Flaw.INCOMPLETE_EVIDENCE)
    flaw = yes.flaw(now, valid_for)
    newest = -(yes.not_before or yes.recorded_at).timestamp()
    return (order.index(flaw) if flaw else -1, newest, -yes.entry)
