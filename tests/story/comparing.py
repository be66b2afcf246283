"""A year's audit held against a count that shares no code with the program: every number of the audit's first page."""

from collections import Counter
from collections.abc import Mapping

from dispatcher.flow.audit_year import YearAudit
from tests.story.independent import count, read
from tests.story.small_studio import SmallStudio

FORGOTTEN = "c09"
"""The campaign that went after the copy was made that a restore put back: no ledger can know of its messages."""
AFTERWARDS = ("c08", "sms")
"""What was waiting in that copy, and went after it: the ledger knows of it, and not on what it relied."""
HELD = {2027: {"late": 1, "interrupted": 1, "restored": 3}}
"""How often a campaign was held, by why: February's outage, August's sleep, and what the copy had yet to begin."""
_SPANS = ((30, "0-30"), (90, "31-90"), (180, "91-180"), (365, "181-365"))


def compare(studio: SmallStudio, audit: YearAudit) -> None:
    """Hold the audit of a year against the files of the carriers and the paper of the studio."""
    taken, paper, whose = read(studio.sink), studio.paper(), studio.whose()
    known = [each for each in taken if each.campaign != FORGOTTEN] + studio.unknown
    whole, counted = (count(each, paper, whose, audit.year) for each in (taken, known))
    shown = [each for each in known if (each.campaign, each.channel) != AFTERWARDS]
    agreed = count(shown, paper, whose, audit.year)
    messages, noes = audit.messages, audit.noes

    declared = [each.day for each in audit.declared]
    assert sorted([*whole.first_days.values(), *declared]) == sorted(audit.slots.days)
    assert len(audit.slots.days) == audit.slots.spent

    assert counted.clients == messages.clients
    assert counted.messages == messages.left + messages.restored
    assert counted.by_channel == {channel: many for channel, many in messages.by_channel.items() if many}
    assert counted.spread == messages.spread
    assert counted.most == messages.most_per_client == messages.most_per_address
    assert whole.messages == counted.messages + sum(
        (each.campaign == FORGOTTEN) * (each.day.year == audit.year) for each in taken
    ) - sum(each.day.year == audit.year for each in studio.unknown)

    assert (agreed.messages, agreed.messages) == (agreed.agreed, messages.agreed)
    assert agreed.oldest == messages.oldest_yes_days
    assert _by_span(agreed.ages) == {span: many for span, many in messages.ages.items() if many}
    assert {"online": agreed.agreed} == messages.places

    assert len(counted.said_no) == noes.clients
    assert 0 == noes.left_after
    assert counted.other == Counter({each.channel: each.accepted + each.unknown for each in audit.letters})
    # The sink refused nothing and returned nothing, and nobody complained: every file of it is a message it took.
    told = {each.name: (each.refused, each.bounced, each.complained) for each in audit.campaigns}
    assert dict.fromkeys(told, (0, 0, 0)) == told
    assert HELD.get(audit.year, {}) == audit.held
    assert () == audit.findings


def _by_span(ages: Mapping[int, int]) -> dict[str, int]:
    spans: Counter[str] = Counter()
    for age, many in ages.items():
        spans[next((span for at_most, span in _SPANS if age <= at_most), "over 365")] += many
    return dict(spans)
