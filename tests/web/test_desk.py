"""What is recorded at the desk: two taps for an answer, a no, a child, a new client, and what is told of each."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.consent import Place, Reply
from dispatcher.rules.wording import wording_hash
from dispatcher.storage import answers, clients
from dispatcher.storage.tables import SuppressionTable
from dispatcher.texts import text
from tests.clock import FixedClock
from tests.web.conftest import ASK, CLIENT, NUMBER, Counter, hidden, on_sqlite, said


def question(channel: Channel = Channel.EMAIL, language: Language = Language.SV) -> str:
    """Return the house's own question."""
    return text(f"question_{channel}", language)


@pytest.mark.parametrize("reply", ["granted", "declined"])
def test_two_taps_record_one_answer(counter: Counter, clock: FixedClock, reply: str) -> None:
    """L-05: the words are shown twice, and the second tap records one answer: its words, place, time and person."""
    counter.enter()
    ask = f"{CLIENT}/answer?channel=email&reply={reply}&ask=sv"
    assert question() in counter.browser.get(CLIENT).text
    page = counter.browser.get(ask).text
    assert question() in page
    assert [] == said(counter.house)
    done = counter.post(f"{CLIENT}/answer", hidden(page) | {"place": "phone"})
    assert (303, CLIENT) == (done.status_code, done.headers["location"])
    assert [(Reply(reply), Channel.EMAIL, Place.PHONE, str(counter.actor))] == said(counter.house)
    with counter.house.store.reading() as connection:
        answer = answers.of_clients(connection, [NUMBER])[NUMBER][0]
    assert (wording_hash(question()), clock(), clock()) == (answer.wording, answer.not_before, answer.not_after)
    shown = counter.browser.get(CLIENT).text
    told = text(f"desk_recorded_{reply}", Language.FI, channel="Sähköposti", place="puhelimessa")
    assert told in shown
    assert told not in counter.browser.get(CLIENT).text


@on_sqlite
def test_a_button_pressed_twice_records_one_answer(counter: Counter, clock: FixedClock) -> None:
    """Two taps at once, or an impatient hand, are one answer; a later one, or another in between, is a new one."""
    counter.enter()
    yes = counter.form(ASK) | {"place": "phone"}
    no = counter.form(ASK.replace("granted", "declined")) | {"place": "phone"}
    for form, replies in ((yes, ["granted"]), (no, ["granted", "declined"]), (yes, ["granted", "declined", "granted"])):
        with ThreadPoolExecutor(4) as hands:
            answers = list(hands.map(lambda _, form=form: counter.post(f"{CLIENT}/answer", form), range(4)))
        assert {303} == {answer.status_code for answer in answers}
        assert replies == [reply.value for reply, *_ in said(counter.house)]
    clock.advance(timedelta(minutes=1))
    counter.post(f"{CLIENT}/answer", yes)
    assert 4 == len(said(counter.house))


def test_a_new_client_pressed_twice_is_one(counter: Counter) -> None:
    """The second press leads to the client of the first; somebody else with that address is still refused."""
    counter.enter()
    typed = {"form": counter.form("/new")["form"], "first_name": "Uusi", "last_name": "Asiakas", "language": "fi"}
    page = counter.post("/new", typed | {"address": "uusi@posti.example"})
    form = hidden(page.text) | {"reply": "granted", "place": "in_person"}
    first, second = (counter.post("/new/answer", form) for _ in range(2))
    assert [303, 303] == [first.status_code, second.status_code]
    assert first.headers["location"] == second.headers["location"]
    assert 1 == len(said(counter.house, int(first.headers["location"].rpartition("/")[2])))
    assert 409 == counter.post("/new/answer", form | {"first_name": "Toinen"}).status_code


@on_sqlite
@pytest.mark.parametrize(
    "change",
    [
        {"form": "x"},
        {"form": ""},
        {"wording": "0" * 64},
        {"place": "one_click"},
        {"place": "nowhere"},
        {"reply": "not_asked"},
        {"reply": ""},
        {"channel": "letter"},
        {"ask": "de"},
    ],
)
def test_what_was_not_heard_is_not_recorded(counter: Counter, change: dict[str, str]) -> None:
    """A form without our secret, with other words, or with what the desk cannot hear is refused, and says so."""
    counter.enter()
    form = counter.form(ASK) | {"place": "in_person"}
    answer = counter.post(f"{CLIENT}/answer", form | change)
    assert 409 == answer.status_code
    assert text("desk_refused", Language.FI) in answer.text
    assert [] == said(counter.house)


@pytest.mark.parametrize(("channel", "closed"), [("", None), ("sms", Channel.SMS)])
def test_a_no_at_the_desk(counter: Counter, channel: str, closed: Channel | None) -> None:
    """L-10: one tap and one to confirm stop everything, or the one channel that was named."""
    counter.enter()
    form = counter.form(f"{CLIENT}/withdraw?channel={channel}")
    assert [] == said(counter.house)
    assert 303 == counter.post(f"{CLIENT}/withdraw", form).status_code
    assert [(Reply.WITHDRAWN, closed, Place.DESK, str(counter.actor))] == said(counter.house)
    page = counter.browser.get(CLIENT).text
    assert text("desk_recorded_withdrawn", Language.FI) in page
    assert text("desk_objected", Language.FI) in page


def test_a_child_is_marked(counter: Counter) -> None:
    """L-11: a client marked as a child is not asked, no yes of theirs is taken, and the mark can be lifted."""
    counter.enter()
    early = counter.form(ASK) | {"place": "phone"}
    counter.post(f"{CLIENT}/child", counter.form(f"{CLIENT}/child"))
    page = counter.browser.get(CLIENT).text
    assert text("reason_child", Language.FI) in page
    assert question() not in page
    assert 409 == counter.post(f"{CLIENT}/answer", early).status_code
    assert [] == said(counter.house)
    counter.post(f"{CLIENT}/child", counter.form(f"{CLIENT}/child"))
    assert 303 == counter.post(f"{CLIENT}/answer", early).status_code


@pytest.mark.parametrize(
    ("typed", "canonical", "channel"),
    [("Aili.Uusi@Posti.example", "aili.uusi@posti.example", "email"), ("040 765 4321", "+358407654321", "sms")],
)
def test_a_new_client(counter: Counter, typed: str, canonical: str, channel: str) -> None:
    """A new client needs a name and one address, which is shown back; the answer is theirs from the first."""
    counter.enter()
    blank = counter.form("/new")
    shown = counter.post("/new", blank | {"first_name": " Aili ", "last_name": "", "address": typed, "language": "fi"})
    for back in ("Aili", canonical, question(Channel(channel), Language.FI)):
        assert back in shown.text
    done = counter.post("/new/answer", hidden(shown.text) | {"reply": "granted", "place": "in_person"})
    assert 303 == done.status_code
    number = int(done.headers["location"].rpartition("/")[2])
    assert [(Reply.GRANTED, Channel(channel), Place.IN_PERSON, str(counter.actor))] == said(counter.house, number)
    with counter.house.store.reading() as connection:
        client = clients.read(connection, [number])[number]
    assert ("Aili", {Channel(channel): canonical}) == (
        client.first_name,
        {kind: held.canonical for kind, held in client.addresses.items()},
    )
    assert text("desk_recorded_new", Language.FI) in counter.browser.get(f"/client/{number}").text


@on_sqlite
@pytest.mark.parametrize(
    ("name", "address", "trouble"),
    [
        ("", "aili@posti.example", "name"),
        ("=cmd()", "aili@posti.example", "name"),
        ("=?utf-8?q?Aili?=", "aili@posti.example", "name"),
        ("Ai\u202eli", "aili@posti.example", "name"),
        ("Aili", "ei osoitetta", "address"),
        ("Aili", "aili@", "address"),
        ("Aili", "09 123 4567", "address"),
    ],
)
def test_what_cannot_be_taken_is_said(counter: Counter, name: str, address: str, trouble: str) -> None:
    """A name that is none, and an address that takes no message (a landline too), are told and change nothing."""
    counter.enter()
    before = counter.house.everything()
    typed = {"first_name": name, "last_name": "", "address": address, "language": "fi"}
    answer = counter.post("/new", counter.form("/new") | typed)
    assert text(f"desk_trouble_{trouble}", Language.FI) in answer.text
    assert before == counter.house.everything()


@on_sqlite
def test_a_known_address_leads_to_its_client(counter: Counter) -> None:
    """An address that somebody has already is nobody new's: the page leads to them and records nothing."""
    counter.enter()
    before = counter.house.everything(besides="access_log")
    typed = {"first_name": "Aili", "last_name": "Uusi", "address": "040 123 4567", "language": "fi"}
    answer = counter.post("/new", counter.form("/new") | typed)
    assert f'<a href="{CLIENT}">Maj Berg</a>' in answer.text
    answer = counter.post("/address", counter.form("/address") | {"address": "maj.berg@posti.example"})
    assert f'<a href="{CLIENT}/withdraw">Maj Berg</a>' in answer.text
    assert before == counter.house.everything(besides="access_log")


def test_the_no_of_a_stranger(counter: Counter) -> None:
    """L-35: an address nobody has is shown back; its no is kept as a keyed hash that silences who comes later."""
    counter.enter()
    shown = counter.post("/address", counter.form("/address") | {"address": "Vieras@posti.example"})
    assert "vieras@posti.example" in shown.text
    assert 303 == counter.post("/address/withdraw", hidden(shown.text)).status_code
    told = counter.house.everything()
    assert 1 == len(told[SuppressionTable.__tablename__])
    assert "vieras" not in repr(told)
    with counter.house.store.reading() as connection:
        pair = (Channel.EMAIL, "vieras@posti.example")
        found = answers.suppressed(connection, counter.house.store.ring, {pair: 1}, counter.house.store.clock())
    assert [Reply.WITHDRAWN] == [answer.reply for answer in found[1]]


@on_sqlite
def test_the_person_chooses_the_language(counter: Counter) -> None:
    """Finnish first; the switch stays on, and the words for the client are in the client's language all the while."""
    counter.enter()
    assert text("desk_search", Language.FI) in counter.browser.get("/").text
    assert text("desk_search", Language.SV) in counter.browser.get("/?lang=sv").text
    page = counter.browser.get(CLIENT).text
    assert text("desk_withdraw_all", Language.SV) in page
    assert question(Channel.SMS, Language.SV) in page
    assert question(Channel.SMS, Language.EN) in counter.browser.get(f"{CLIENT}?ask=en").text


@on_sqlite
def test_trouble_is_told(counter: Counter) -> None:
    """Invariant 4: where the no cannot be kept, the page says that nothing was recorded."""
    counter.enter()
    form = counter.form(f"{CLIENT}/withdraw")
    counter.house.lose_journal()
    answer = counter.post(f"{CLIENT}/withdraw", form)
    assert 503 == answer.status_code
    assert text("desk_failed", Language.FI) in answer.text


@on_sqlite
def test_a_receipt_that_goes_first_is_told(counter: Counter) -> None:
    """L-05: while a receipt has to reach an address before any offer does, the page says so."""
    counter.enter()
    counter.post(f"{CLIENT}/answer", counter.form(ASK) | {"place": "phone"})
    sentence = text("reason_receipt_pending", Language.FI)
    assert sentence not in counter.browser.get(CLIENT).text
    with counter.house.store.database.writing() as connection:
        clients.set_awaits_receipt(connection, NUMBER, Channel.EMAIL, awaits=True)
    assert 1 == counter.browser.get(CLIENT).text.count(sentence)
