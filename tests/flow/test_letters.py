"""What follows from a letter: its token decides whose it is, and read again it changes nothing (E-13, E-60 to E-64)."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from dispatcher.flow.answering import Said
from dispatcher.mailbox.letters import Reader
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import ConsentState, Place, Reply
from dispatcher.rules.decision import Reason, Send, Withhold
from dispatcher.rules.ledger import EntryKind
from dispatcher.rules.letter import LetterKind
from dispatcher.rules.message import MessageState
from dispatcher.storage import answers, clients, incoming, soft_bounces
from dispatcher.storage.tables import OutboxTable
from dispatcher.texts import text
from tests.flow.post import Post
from tests.flow.test_outcomes import MOMENT, begin, messages, send
from tests.mailbox.post import report
from tests.stores import OWNER, add_client, plan, say
from tests.workshop import Workshop

EINO = "1;Eino;Esimerkki;eino@posti.example;;fi;3.11.2026;kyllä;;3.11.2026"
MAIJA = "2;Maija;Meikäläinen;maija@posti.example;040 123 4567;fi;3.11.2026;kyllä;kyllä;3.11.2026"
SUSPENDED, OBJECTION = Withhold(Reason.SUSPENDED), Withhold(Reason.OBJECTION)


@pytest.fixture
def post(workshop: Workshop) -> Iterator[Post]:
    """Give a studio whose one campaign has gone to Eino and Maija by mail."""
    with workshop.opened() as dispatcher:
        begin(workshop, dispatcher, EINO, MAIJA)
        send(dispatcher)
        assert {"accepted": 2} == messages(dispatcher)
        yield Post(dispatcher)


@pytest.fixture
def eino(post: Post) -> int:
    """Give the number of Eino."""
    return post.dispatcher.register.find("eino@posti.example")


@pytest.fixture
def maija(post: Post) -> int:
    """Give the number of Maija, who can be texted as well."""
    return post.dispatcher.register.find("maija@posti.example")


def test_a_mailed_no_closes_every_channel(post: Post, eino: int, maija: int) -> None:
    """E-13, E-35: by the token of an opt-out or of a reply, whoever wrote it; dated as the box took it."""
    hour = timedelta(hours=1)
    post.take(post.letter(LetterKind.STOP, post.opt_out_token(maija), ago=hour))
    assert OBJECTION == post.verdict(maija)
    assert isinstance(post.verdict(eino), Send)
    post.take(post.letter(LetterKind.STOP, post.reply_token(eino)))
    assert OBJECTION == post.verdict(eino)
    told = post.dispatcher.register.history(maija)[-1]
    assert (Reply.WITHDRAWN, None, Place.MAILTO) == (told.answer.reply, told.answer.channel, told.answer.place)
    assert (MOMENT - hour, "client") == (told.answer.not_after, told.actor)


def test_a_yes_after_the_letter_stands(post: Post, eino: int) -> None:
    """L-07: what was agreed to after the letter came is not undone by reading it late."""
    words = text("question_email", Language.FI)
    agreed = Said(Reply.GRANTED, Channel.EMAIL, Place.IN_PERSON, words)
    late = post.letter(LetterKind.STOP, post.reply_token(eino), ago=timedelta(hours=2))
    post.dispatcher.answering.record(eino, [agreed], OWNER)
    post.take(late)
    assert isinstance(post.verdict(eino), Send)
    post.take(post.letter(LetterKind.STOP, post.reply_token(eino)))
    assert OBJECTION == post.verdict(eino)


def test_a_box_whose_clock_is_ahead_forbids_nothing_to_come(post: Post, eino: int) -> None:
    """A no from the future counts from now, once, however often the letter is read meanwhile."""
    early = post.letter(LetterKind.STOP, post.reply_token(eino), ago=-timedelta(days=30))
    post.take(early, early)
    assert MOMENT == post.dispatcher.register.history(eino)[-1].answer.not_after
    assert 1 == [told.answer.reply for told in post.dispatcher.register.history(eino)].count(Reply.WITHDRAWN)


def test_a_complaint_is_an_objection(post: Post, maija: int) -> None:
    """E-62: "this is spam" closes every channel; "not spam" opens none and changes nothing."""
    token = post.bounce_token(post.message_of(maija))
    post.take(post.letter(LetterKind.NOT_SPAM, token))
    assert isinstance(post.verdict(maija), Send)
    post.take(post.letter(LetterKind.COMPLAINT, token))
    assert OBJECTION == post.verdict(maija)
    told = post.dispatcher.register.history(maija)[-1]
    assert (Place.COMPLAINT, "provider:feedback") == (told.answer.place, told.actor)


def test_anything_else_waits_for_a_person(post: Post, eino: int, maija: int) -> None:
    """E-35: that client is suspended until somebody has read it; what a machine wrote suspends nobody."""
    post.take(post.letter(LetterKind.AUTOMATIC, post.reply_token(maija)))
    post.take(post.letter(LetterKind.OTHER, post.reply_token(eino)))
    assert SUSPENDED == post.verdict(eino)
    assert isinstance(post.verdict(maija), Send)
    assert [(eino, "other", "maildir")] == [(w.client, w.kind, w.box) for w in post.incoming.waiting()]


@pytest.mark.parametrize("kind", LetterKind)
def test_a_token_of_nobody_changes_nothing(post: Post, eino: int, maija: int, kind: LetterKind) -> None:
    """E-60: a token that was made up, cut short, or of a test message, and none at all, decide about nobody."""
    before = post.dispatcher.store.journal.last()
    forged = post.reply_token(eino)[:-4] + "2222"
    test = post.addresses.token_in(post.addresses.of_test("0" * 32).reply_to)
    strange = post.bounce_token("f" * 32)
    for token in ("", "eino", forged, post.bounce_token(post.message_of(maija))[:-6], str(test), strange):
        post.take(post.letter(kind, token, status="5.1.1"))
    assert before == post.dispatcher.store.journal.last()
    assert [Send, Send] == [type(post.verdict(client)) for client in (eino, maija)]


def test_a_dead_address_is_no_objection(post: Post, maija: int) -> None:
    """E-50, E-60: 5.1.1 kills the address, tells of the message that it bounced, and closes no other channel."""
    bounced = post.letter(LetterKind.BOUNCE, post.bounce_token(post.message_of(maija)), status="5.1.1", code="550")
    post.take(bounced, bounced)
    (told,) = post.bodies(EntryKind.LATER)
    assert ("bounced", ["5.1.1"]) == (told["later"], told["codes"])
    assert ["dead"] == [body["event"] for body in post.bodies(EntryKind.ADDRESS)]
    verdict = post.verdict(maija)
    assert isinstance(verdict, Send)
    assert Channel.SMS is verdict.channel
    assert ConsentState.GRANTED is post.consent(maija, Channel.EMAIL).state
    assert () == post.dispatcher.audit.year(2026).findings


@pytest.mark.parametrize(("status", "code"), [("5.7.1", "550"), ("5.3.4", "552"), ("", "550"), ("4.4.7", "")])
def test_what_concerns_us_kills_no_address(post: Post, eino: int, status: str, code: str) -> None:
    """E-50: a policy, a size, a code without words and a time that ran out are told of the message alone."""
    token = post.bounce_token(post.message_of(eino))
    post.take(post.letter(LetterKind.BOUNCE, token, status=status, code=code))
    assert ["bounced"] == [body["later"] for body in post.bodies(EntryKind.LATER)]
    assert [] == post.bodies(EntryKind.ADDRESS)
    assert isinstance(post.verdict(eino), Send)


@pytest.mark.parametrize(("status", "code"), [("5.2.2", "552"), ("", "552"), ("4.2.2", "")])
def test_a_full_mailbox_is_counted(post: Post, eino: int, status: str, code: str) -> None:
    """E-50: it is soft: counted once for the message, and the address lives."""
    token = post.bounce_token(post.message_of(eino))
    bounced = post.letter(LetterKind.BOUNCE, token, status=status, code=code)
    post.take(bounced, bounced)
    with post.dispatcher.store.reading() as connection:
        held = clients.address_ids(connection, [eino])[eino]
        assert ["mailbox_full"] == [kind for each in held for kind, _ in soft_bounces.of(connection, [each])[each]]
    assert isinstance(post.verdict(eino), Send)


def test_a_delay_says_nothing_yet(post: Post, eino: int) -> None:
    """E-61: a server that still tries has not failed."""
    token = post.bounce_token(post.message_of(eino))
    post.take(post.letter(LetterKind.BOUNCE, token, status="5.1.1", is_permanent=False))
    assert [] == post.bodies(EntryKind.LATER)


@pytest.mark.parametrize(("status", "soft"), [("4.4.7", []), ("4.2.2", ["mailbox_full"])])
def test_a_server_that_gave_up_after_days_is_heard(post: Post, eino: int, status: str, soft: list[str]) -> None:
    """E-50, E-61: a report that a mail failed is final, also where its status says that the cause might have passed."""
    to = post.addresses.bounce_to(post.message_of(eino))
    raw = report("Reporting-MTA: dns; mx.posti.example", f"Action: failed\nStatus: {status}", to=to)
    letter = Reader(post.addresses).letter(raw, "7:1", MOMENT)
    assert letter is not None
    post.take(letter)
    assert [("bounced", [status])] == [(body["later"], body["codes"]) for body in post.bodies(EntryKind.LATER)]
    with post.dispatcher.store.reading() as connection:
        held = clients.address_ids(connection, [eino])[eino]
        assert soft == [kind for each in held for kind, _ in soft_bounces.of(connection, [each]).get(each, ())]


def test_nothing_of_a_letter_is_kept_but_client_time_and_class(post: Post, eino: int) -> None:
    """E-64: neither journal nor ledger holds more of what waits than whose it is, when it came, where it lies."""
    post.take(post.letter(LetterKind.OTHER, post.reply_token(eino)))
    (came,) = post.bodies(EntryKind.INCOMING)
    assert {"event", "number", "at", "class"} == set(came)
    (kept,) = (r.body for r in post.dispatcher.store.journal.records() if r.kind == "incoming")
    assert {"client", "box", "key", "event", "channel", "at", "class", "actor"} == set(kept)


_DEEDS = st.tuples(st.sampled_from(LetterKind), st.sampled_from(("5.1.1", "5.2.2", "5.7.1")), st.integers(0, 40))
_NUMBERS = count(1_000)


def fresh(post: Post) -> int:
    """Return a client of their own, who has agreed to mail and texts and got a mail of the campaign."""
    store, number = post.dispatcher.store, next(_NUMBERS)
    held = add_client(store, number, email=f"uusi{number}@posti.example", phone=f"+35850{number:07}")
    for channel in Channel:
        say(store, number, Reply.GRANTED, channel)
    campaign = post.dispatcher.lifecycle.named("a").id
    plan(store, campaign, [(number, held[Channel.EMAIL])], MessageState.ACCEPTED)
    return number


def end(post: Post, client: int) -> tuple[object, ...]:
    """Return everything that letters can change about a client and their message."""
    with post.dispatcher.store.reading() as connection:
        known, flags = clients.read_flagged(connection, [client])[client]
        mail = known.addresses[Channel.EMAIL]
        bounces = sorted(kind for kind, _ in soft_bounces.of(connection, [mail.id]).get(mail.id, []))
        fate = connection.execute(
            select(OutboxTable.later, OutboxTable.later_code).where(OutboxTable.client == client)
        ).one()
        noes = {
            (answer.place, answer.not_after)
            for answer in answers.of_clients(connection, [client])[client]
            if answer.reply is Reply.WITHDRAWN
        }
        waits = len(incoming.listed(connection, client=client))
    return type(post.verdict(client)), mail.dead, flags.suspended, bounces, tuple(fate), noes, waits


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(deeds=st.lists(_DEEDS, min_size=1, max_size=5), data=st.data())
def test_order_and_repetition_make_no_difference(
    post: Post, deeds: list[tuple[LetterKind, str, int]], data: st.DataObject
) -> None:
    """E-60: the same letters, in any order, together and however often, leave everything as once one by one does."""
    ends = []
    again = data.draw(st.permutations(list(range(len(deeds))) * 2))
    for order, at_once in ((range(len(deeds)), 1), (again, data.draw(st.integers(1, 10)))):
        client = fresh(post)
        tokens = {True: post.bounce_token(post.message_of(client)), False: post.reply_token(client)}
        letters = [
            post.letter(kind, tokens[kind is LetterKind.BOUNCE], status=status, ago=timedelta(minutes=minutes))
            for kind, status, minutes in deeds
        ]
        for at in range(0, len(order), at_once):
            post.take(*(letters[place] for place in order[at : at + at_once]))
        ends.append(end(post, client))
    assert ends[0] == ends[1]
