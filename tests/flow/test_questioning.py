"""The list of whom to ask: the right people, in order, with the words; on paper as well."""

from collections.abc import Mapping
from typing import Any

import pytest

from dispatcher.errors import NotFoundError
from dispatcher.flow.ask_paper import AskPaper
from dispatcher.flow.questioning import AskList, ask_list_json
from dispatcher.rules.calendar import local_date
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.occasion import Occasion
from dispatcher.rules.rights import RequestKind
from dispatcher.rules.wording import wording_hash
from dispatcher.texts import text
from dispatcher.wiring import Dispatcher
from tests.workshop import ZONE, Workshop

ROWS = {
    "fresh": "1;Aava;Fresh;aava@posti.example;;fi;1.11.2026;kyllä;;1.11.2026",
    "unasked": "2;Bruno;Unasked;bruno@posti.example;040 123 4567;sv;20.11.2026;;;",
    "ends": "3;Cecilia;Ends;cecilia@posti.example;;fi;1.12.2025;kyllä;;1.12.2025",
    "ended": "4;Daavid;Ended;daavid@posti.example;;fi;30.11.2025;kyllä;;1.10.2025",
    "declined": "5;Elli;Declined;elli@posti.example;;en;1.11.2026;ei;;1.11.2026",
    "visited": "6;Frans;Visited;frans@posti.example;;en;22.11.2026;ei;;1.11.2026",
    "objected": "7;Greta;Objected;greta@posti.example;;fi;22.11.2026;;;",
    "child": "8;Hugo;Child;hugo@posti.example;;fi;22.11.2026;;;",
    "asking": "9;Iiris;Asking;iiris@posti.example;;fi;22.11.2026;;;",
    "partly": "10;Jaakko;Partly;jaakko@posti.example;040 123 4568;fi;22.11.2026;;;",
}


def filled(workshop: Workshop, dispatcher: Dispatcher) -> AskList:
    """Import one client of each kind, and return the list."""
    actor = dispatcher.persons.acting(None)
    dispatcher.enrol.run(workshop.register(*ROWS.values()), actor)
    find = dispatcher.register.find
    dispatcher.preferences.withdraw(find("greta@posti.example"), actor)
    dispatcher.preferences.withdraw(find("jaakko@posti.example"), actor, Channel.SMS)
    dispatcher.marks.mark_child(find("hugo@posti.example"), actor)
    dispatcher.requests.open(find("iiris@posti.example"), RequestKind.ACCESS, actor)
    return dispatcher.asking.ask_list(dispatcher.persons.acting(None))


def told(found: AskList) -> Mapping[str, Mapping[Channel, Occasion]]:
    """Return who is on the list, in order, and why."""
    return {each.card.name.split()[0]: each.occasions for each in found.people}


def paper(dispatcher: Dispatcher, found: AskList, language: Language = Language.FI) -> AskPaper:
    """Return the list as it is printed today."""
    return AskPaper(found, dispatcher.studio, language, local_date(dispatcher.store.clock(), ZONE), ZONE)


def test_the_right_people_are_on_the_list(workshop: Workshop) -> None:
    """L-09, L-11: the unasked, the ending and the visited, latest first; no objector, child, or claimant of a right."""
    with workshop.opened() as dispatcher:
        found = filled(workshop, dispatcher)
        assert [
            ("Frans", {Channel.EMAIL: Occasion.VISITED}),
            ("Bruno", {Channel.EMAIL: Occasion.UNASKED, Channel.SMS: Occasion.UNASKED}),
            ("Cecilia", {Channel.EMAIL: Occasion.ENDS_SOON}),
            ("Daavid", {Channel.EMAIL: Occasion.ENDED}),
        ] == list(told(found).items())
        assert 4 == found.total


def test_a_limit_says_how_many_are_left(workshop: Workshop) -> None:
    """Those beyond the limit are counted, and the paper says so."""
    with workshop.opened() as dispatcher:
        filled(workshop, dispatcher)
        found = dispatcher.asking.ask_list(dispatcher.persons.acting(None), 1)
        assert (["Frans"], 4) == (list(told(found)), found.total)
        more = text("paper_ask_more", Language.EN, number=3)
        printed = paper(dispatcher, found, Language.EN)
        assert more in printed.to_text()
        assert more in printed.to_html()


def test_the_list_is_printed(workshop: Workshop) -> None:
    """Names, masked addresses, reasons, the words in each client's language, and boxes; addresses nowhere whole."""
    with workshop.opened() as dispatcher:
        found = filled(workshop, dispatcher)
        printed = paper(dispatcher, found)
        for page in (printed.to_text(), printed.to_html()):
            for word in ("Frans Visited", "f***@p***.example", "+358*****67", "lupa päättyy 1.12.2026", "22.11.2026"):
                assert word in page
            assert text("question_sms", Language.SV) in page
            assert text("question_sms", Language.FI) not in page
            assert "@posti" not in page
        assert 5 * 2 == printed.to_html().count('<span class="box">')
        assert "http" not in printed.to_html()
        assert printed.to_pdf().startswith(b"%PDF-")
        people: Any = ask_list_json(found)["people"]
        assert ["Frans Visited", "Bruno Unasked", "Cecilia Ends", "Daavid Ended"] == [each["name"] for each in people]


def test_a_name_is_no_markup(workshop: Workshop) -> None:
    """A name with signs of markup stands on both papers as it is."""
    with workshop.opened() as dispatcher:
        row = "2;<b>Bruno #strong[x];O'Hara & Co;bruno@posti.example;;sv;20.11.2026;;;"
        dispatcher.enrol.run(workshop.register(row), dispatcher.persons.acting(None))
        printed = paper(dispatcher, dispatcher.asking.ask_list(dispatcher.persons.acting(None)))
        assert "&lt;b&gt;Bruno #strong[x] O&#39;Hara &amp; Co" in printed.to_html()
        assert printed.to_pdf().startswith(b"%PDF-")


def test_an_empty_list_says_so(workshop: Workshop) -> None:
    """Where everybody has been asked, each form of the list says that and nothing else."""
    with workshop.opened() as dispatcher:
        printed = paper(dispatcher, dispatcher.asking.ask_list(dispatcher.persons.acting(None)))
        for page in (printed.to_text(), printed.to_html()):
            assert text("paper_ask_nobody", Language.FI) in page
        assert printed.to_pdf().startswith(b"%PDF-")


def test_a_wording_is_named_by_its_beginning(workshop: Workshop) -> None:
    """D-02: four characters of the SHA-256 name a wording where no other begins so; fewer, or a stranger's, do not."""
    with workshop.opened() as dispatcher:
        filled(workshop, dispatcher)
        words = "Saako lähettää tarjouksia sähköpostitse?"
        assert words == dispatcher.asking.wording(wording_hash(words)[:8])
        for beginning in (wording_hash(words)[:3], "zzzz"):
            with pytest.raises(NotFoundError, match="4 characters at least"):
                dispatcher.asking.wording(beginning)
