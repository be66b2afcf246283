"""Who looked at whom at the desk: every page that shows or changes a client puts it on record."""

from dispatcher.storage import access_log
from tests.web.conftest import ASK, CLIENT, NUMBER, Counter, hidden


def looks(counter: Counter) -> list[tuple[str, str, int | None, int]]:
    """Return who looked, by what, at whom, and at how many."""
    with counter.house.store.reading() as connection:
        return [(each.actor, each.act, each.client, each.clients) for each in access_log.looks(connection)]


def test_every_page_about_a_client_is_on_record(counter: Counter) -> None:
    """Each page shown and each act done is the person's at the desk; a page without a client is no look."""
    counter.enter()
    for path in ("/", "/new", "/address"):
        assert 200 == counter.browser.get(path).status_code
    assert [] == looks(counter)
    who = str(counter.actor)
    for path, act in (("/?q=berg", "desk search"), ("/?q=nobody", "desk search")):
        counter.browser.get(path)
        assert (who, act, None, "nobody" not in path) == looks(counter)[-1]
    for path in (CLIENT, ASK, f"{CLIENT}/withdraw", f"{CLIENT}/child"):
        counter.browser.get(path)
        assert (who, "desk client", NUMBER, 1) == looks(counter)[-1]
    assert 6 == len(looks(counter))


def test_every_act_on_a_client_is_on_record(counter: Counter) -> None:
    """An answer, a no, a mark, somebody new, and the no of a stranger's address."""
    counter.enter()
    who = str(counter.actor)
    counter.post(f"{CLIENT}/answer", counter.form(ASK) | {"place": "phone"})
    assert (who, "desk answer", NUMBER, 1) == looks(counter)[-1]
    counter.post(f"{CLIENT}/withdraw", counter.form(f"{CLIENT}/withdraw"))
    assert (who, "desk withdraw", NUMBER, 1) == looks(counter)[-1]
    counter.post(f"{CLIENT}/child", counter.form(f"{CLIENT}/child"))
    assert (who, "desk child", NUMBER, 1) == looks(counter)[-1]
    typed = {"first_name": "Aili", "last_name": "", "address": "aili@posti.example", "language": "fi"}
    shown = counter.post("/new", counter.form("/new") | typed)
    assert (who, "desk address", None, 0) == looks(counter)[-1]
    done = counter.post("/new/answer", hidden(shown.text) | {"reply": "granted", "place": "in_person"})
    number = int(done.headers["location"].rpartition("/")[2])
    assert (who, "desk new", number, 1) == looks(counter)[-1]
    stranger = counter.post("/address", counter.form("/address") | {"address": "vieras@posti.example"})
    counter.post("/address/withdraw", hidden(stranger.text))
    assert (who, "desk withdraw address", None, 0) == looks(counter)[-1]
