"""The findings of an audit, by name, as English says them; a paper says them in the language of who reads it."""

from dispatcher.rules.sentence import Sentence

SAYINGS = {
    "unread": "Entry {entry} ({what}) cannot be read.",
    "wrong": "Entry {entry} ({what}) {wrong}.",
    "client_too_many": "Client {who} got {count} messages in the 365 days from {first} on; the promise is {ceiling} at most (entries {entries}).",  # noqa: E501
    "address_too_many": "Address {who} got {count} messages in the 365 days from {first} on; the promise is {ceiling} at most (entries {entries}).",  # noqa: E501
    "client_again": "Entry {entry} (send) sends campaign {campaign} to client {who} again, after entry {twin}.",
    "address_again": "Entry {entry} (send) sends campaign {campaign} to address {who} again, after entry {twin}.",
    "unnamed": "{count} more findings like these are not named.",
    # What is wrong with an entry, as the end of a sentence.
    "no_campaign": "names no campaign",
    "slot_was_spent": "changes the slot of campaign {campaign}, which had been spent",
    "declaration": "tells of a declaration {declaration} what cannot follow",
    "planned_twice": "plans a message a second time",
    "withheld_unasked": "withholds a message that was not waiting",
    "sent_unasked": "hands over a message that was not waiting to go",
    "sent_unspent": "sends campaign {campaign}, whose slot had not been spent",
    "outcome_unasked": "tells what became of a message that was not being handed over",
    "given_up_unasked": "gives up on a message that was not unknown",
    "of_another": "is about a message of another client or campaign",
    "no_answer": "relied on entry {relied}, which is no answer that client {client} had given by then",
    "no_yes": "relied on entry {relied}, which is no yes but says {said}",
    "other_channel": "went by {channel} and relied on entry {relied}, a yes to {agreed}",
    "void": "relied on entry {relied}, a yes of source {source}, which was void by then",
    "replaced": "relied on entry {relied}, a yes to an address that another had replaced",
    "not_standing": "relied on entry {relied}, but the answers of client {client} added up to {consent} for {channel} at that moment",  # noqa: E501
    "not_standing_for": "relied on entry {relied}, but the answers of client {client} added up to {consent} for {channel} at that moment (entry {because})",  # noqa: E501
    "other_yes": "relied on entry {relied}, but the yes that stood at that moment is entry {other}",
    "to_gone": "went to client {client}, whom the register named no longer (entry {because})",
    "to_child": "went to client {client}, who was marked as a child (entry {because})",
    "to_restricted": "went to client {client}, whose data was restricted (entry {because})",
    "to_suspended": "went to client {client}, whose letter or text message waited for a person (entry {because})",
    "to_request": "went to client {client}, whose request was open (entry {because})",
    "to_erased": "went to client {client}, who had been erased (entry {because})",
    # The ledger beside the tables that serve the screens.
    "only_table": "Campaign {name} ({number}) is in its table; the ledger knows nothing of it.",
    "only_ledger": "Campaign {name} ({number}) is in the ledger; its table knows nothing of it.",
    "told_otherwise": "Campaign {name} ({number}): its {what} is {told} by the ledger and {held} by its table.",
    "slot_only_ledger": "The ledger tells a slot on {day} that is {state}; the table of slots does not.",
    "slot_only_ledger_of": "The ledger tells a slot on {day} that is {state} for campaign {campaign}; the table of slots does not.",  # noqa: E501
    "slot_only_table": "The table of slots holds one on {day} that is {state}; the ledger does not tell it.",
    "slot_only_table_of": "The table of slots holds one on {day} that is {state} for campaign {campaign}; the ledger does not tell it.",  # noqa: E501
    "counted_otherwise": "Campaign {name} ({number}): the ledger counts {told} {line}, the outbox {held}.",
    # The chain.
    "place_more": "1 further place of the ledger does not hold.",
    "places_more": "{count} further places of the ledger do not hold.",
    "not_opened": "The entry of the installation's opening, the first of all, is missing.",
    "link_begins": "Group {group} does not follow from the beginning before it: one of them was put in place of another.",  # noqa: E501
    "link": "Group {group} does not follow from group {before} before it: one of them was put in place of another.",
    "extra": "Group {group} was chained over {entries} and holds {held}: at least one was put in later.",
    "extra_named": "Group {group} was chained over {entries} and holds {held}: entry {entry} was put in later.",
    "altered_entry": "Entry {entry} ({what}, group {group}) was altered: it does not carry its own digest.",
    "altered_group": "Group {group} (entries {first} to {last}) does not carry its own hash: it was altered, or an entry of it together with its digest.",  # noqa: E501
    "missing": "Group {group} was chained over {entries} and holds {held}: {lacks} missing.",
    "missing_named": "Group {group} was chained over {entries} and holds {held}: {lacks} missing. Not there: entry {holes}.",  # noqa: E501
    "entry": "1 entry",
    "entries": "{count} entries",
    "gap": "Chain {chain} has nothing at position {first}: 1 group is missing.",
    "gaps": "Chain {chain} has nothing at positions {first} to {last}: {lacks} groups are missing.",
    "no_head": "Chain {chain} has no head: where it ends cannot be told.",
    "beyond_head": "Chain {chain} goes on to position {position}, beyond its head at {head}.",
    "other_head": "The head of chain {chain} does not carry the hash of the chain's end at position {position}.",
    "stray": "Entry {first} stands in group {group}, which is not there.",
    "strays": "Entries {first} to {last} stand in group {group}, which is not there.",
    "entries_swapped": "Entries {one} and {other} have changed places.",
    "groups_swapped": "Groups {one} and {other} have changed places.",
    # Years whose messages were destroyed.
    "stub_forged": "The stub of entry {entry} does not carry the digest of that entry: it was put in or altered.",
    "stub_alone": "Entries of {year} are gone ({count}, the first of them entry {entry}): stubs stand in their place, and no entry tells that the year was destroyed.",  # noqa: E501
    "destroyed_otherwise": "Entry {entry} (destroyed) tells of {count} entries of {year} that were to go; the stubs in their place are {held}, and not those.",  # noqa: E501
    "destroyed_early": "Entry {entry} destroyed {year} on {day}, when that year was still to be kept.",
    "destroyed_unclosed": "Entry {entry} destroyed {year} as closed under seal {seal}; no such closing stands before it.",  # noqa: E501
    "destroyed_uncovered": "Entry {entry} destroyed {year} as closed under seal {seal}; no such seal covers all that is gone.",  # noqa: E501
    "destroyed_of_another": "Entry {entry} destroyed {year}, and entries of a later year are gone with it.",
    "destroyed_unsealed": "Entry {entry} destroyed {year}, and no seal was set after it before its entries went.",
    "destroyed_twice": "Entry {entry} destroyed {year}, which an entry before it tells to be destroyed.",
    "destroyed_left": "Entry {entry} stands and has no stub, though the messages of its campaign {campaign} were destroyed with {year}.",  # noqa: E501
    "destroyed_in_part": "The messages of campaign {campaign} stand, though entry {entry} tells that those of {year} were destroyed.",  # noqa: E501
    # What is no break of a promise, and a reader has to know.
    "destroyed": "The messages of {year} were destroyed on {day} under the promise, checked under seal {seal}.",
    "destroyed_despite": "When {year} was closed, {count} findings stood in its audit; a person had it destroyed all the same.",  # noqa: E501
    "destroyed_before": "The messages of {year} were destroyed: what anyone got in 365 days that reach into that year was counted before, and counts only the later part here.",  # noqa: E501
    "destroyed_unfinished": "Some of the messages of {year} still stand in the database: `dispatcher run` goes on destroying them.",  # noqa: E501
    "destruction_begun": "The destruction of {year} was begun and cut short; nothing of it is gone yet.",
    "transfer": "Text messages go by {company}, whose people may reach data from outside the EU. Why that was accepted: {note}",  # noqa: E501
}


def say(name: str, /, **values: object) -> Sentence:
    """Return the saying of this name with these values."""
    return Sentence.of(SAYINGS[name], name, **values)
