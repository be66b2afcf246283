"""What the ways through a template promise."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from dispatcher.errors import RenderingError
from dispatcher.rendering import CampaignRenderer
from dispatcher.rendering.gaps import Gap, Hole, Trace, Values, put_off
from dispatcher.rendering.ways import KEPT, MOST, Ways
from dispatcher.rules.campaign import Channel, Language
from dispatcher.rules.message import Recipient

_MOMENT = datetime(2026, 3, 17, 8, tzinfo=UTC)
_BODY = "email/offer/body.txt.j2"
_TAIL = '{{ t("marker") }} {{ studio.name }} {{ studio.business_id }} {{ studio.postal_address }} {{ notice_url }}'


def _longer_than(trace: Trace, number: int) -> Gap:
    gap = Gap.of(Hole.FIRST_NAME, trace)
    return put_off(trace, "longer than", lambda name, least: len(str(name)) > int(str(least)), gap, number)


def _values(name: str) -> Values:
    return dict.fromkeys(Hole, "") | {Hole.FIRST_NAME: name}


def test_each_answer_has_its_way_and_is_made_once() -> None:
    """What a way makes is made when the campaign is compiled, and never again."""
    made: list[list[bool]] = []

    def make(trace: Trace) -> str:
        word = "long" if _longer_than(trace, 5) else "short" if _longer_than(trace, 3) else "tiny"
        made.append([answer for _, answer in trace.asked])
        return word

    ways = Ways(make)
    assert {"long", "short", "tiny"} == set(ways.ahead)
    assert [[True], [False, True], [False, False]] == made
    assert ["tiny", "short", "long", "tiny"] == [ways.of(_values(name)) for name in ("Bo", "Aino", "Helena", "Åsa")]
    assert len(made) == 3


def test_the_same_question_is_asked_once() -> None:
    """Two looks at one name cannot be answered differently."""

    def make(trace: Trace) -> tuple[bool, bool]:
        return bool(_longer_than(trace, 5)), bool(_longer_than(trace, 5))

    assert {(True, True), (False, False)} == set(Ways(make).ahead)


def test_ways_without_end_are_made_when_a_client_needs_them() -> None:
    """A loop over a name has a way for each length; the first few are looked at beforehand, the others when met."""

    def make(trace: Trace) -> int:
        number = 0
        while trace.answer(_longer_than(trace, number), usual=False):
            number += 1
        return number

    ways = Ways(make)
    assert len(ways.ahead) == MOST
    assert [0, 4, 40, 40] == [ways.of(_values("a" * length)) for length in (0, 4, 40, 40)]


def test_ways_beyond_number_are_not_kept() -> None:
    """A loop over letters may have a way for each client: memory ends before they do, and each still gets theirs."""
    made: list[str] = []

    def make(trace: Trace) -> str:
        gap = Gap.of(Hole.FIRST_NAME, trace)
        has_bit = (put_off(trace, f"bit {bit}", lambda name, at=bit: int(name) >> at & 1, gap) for bit in range(7))
        made.append("".join("1" if bit else "0" for bit in has_bit))
        return made[-1]

    ways = Ways(make)
    names = [str(number) for number in range(128)]
    expected = [f"{number:07b}"[::-1] for number in range(128)]
    assert expected == [ways.of(_values(name)) for name in names]
    seen = len(made)
    assert expected == [ways.of(_values(name)) for name in names]
    again = set(made[seen:])
    assert 128 - KEPT <= len(again) < 128


def test_a_fault_in_one_way_is_found_before_the_first_client(compiled: Callable[..., CampaignRenderer]) -> None:
    """E-14, L-21: a template that leaves the way out to short names only is refused, whoever the clients are."""
    short = "{% if client.first_name|length < 5 %}{{ opt_out_url }}{% endif %}"
    with pytest.raises(RenderingError, match="does not show the opt-out link"):
        compiled({_BODY: f"{short} {_TAIL}"})


def test_both_ways_show_the_link(compiled: Callable[..., CampaignRenderer]) -> None:
    """E-14: a template may say it in two ways, and each client gets theirs."""
    words = "{% if client.first_name == 'Aino' %}Hei sinä: {{ opt_out_url }}{% else %}{{ opt_out_url }}{% endif %}"
    renderer = compiled({_BODY: f"{words} {_TAIL}"})
    assert b"Hei sin" in _text(renderer, "Aino")
    assert b"Hei sin" not in _text(renderer, "Onni")


def test_what_fails_with_a_name_is_found_before_the_first_client(compiled: Callable[..., CampaignRenderer]) -> None:
    """A text message that greets by name is made once when the campaign is compiled, as an email is."""
    words = "{{ t('sms_marker') }}, {{ studio.name }}: {{ opt_out_url }}"
    named = "{% if client.first_name %} {{ client.first_name.nickname }}{% endif %}"
    with pytest.raises(RenderingError, match=r"offer of campaigns/.+\.toml fails for one client: .*nickname"):
        compiled({"sms/offer.txt.j2": f"{words}{named}"}, channels=(Channel.SMS,))


def _text(renderer: CampaignRenderer, name: str) -> bytes:
    mail = renderer.email(
        Recipient(name, Language.FI, ""), "aino@posti.example", f"https://m.example/u/{'a' * 37}", "m1", _MOMENT
    )
    return mail.content.partition(b"text/html")[0]
