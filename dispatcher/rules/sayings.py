"""The findings of an audit, by name, as English says them; a paper says them in the language of who reads it."""

from dispatcher.rules.sentence import Sentence

SAYINGS = {
    "unread": "Entry {entry} ({what}) cannot be read.",
    "wrong": "Entry {entry} ({what}) {wrong}.",
    "client_too_many": "Client {who} got {count} messages in the 365 days from {first} on; the promise is {ceiling} at most (entries {entries}).",  # noqa: E501
    "address_too_many": "Address {who} got {count} messages in the 365 days from {first} on; the promise is {ceiling} at most (entries {entries}).",  # noqa: E501
    "client_again": "Entry {entry} (send) sends campaign {campaign} to client {who} again, after entry {twin}.",
    "address_again": "Entry {entry} (send) sends campaign {campaign} to address {who} again, after entry {twin}.",
    "unnamed_one": "1 more finding like these is not named.",
    "unnamed_other": "{count} more findings like these are not named.",
    # How often, and what was asked for.
    "too_many": "{count} campaigns went out in {year}; the promise is {ceiling} at most.",
    "too_close": "{count} campaigns went out within 365 days that touch {year}; the promise is {ceiling} at most.",
    "not_begun": "{year} has not begun.",
    "running_one": "{year} is still running: 1 campaign so far, {floor} to {ceiling} are promised.",
    "running_other": "{year} is still running: {count} campaigns so far, {floor} to {ceiling} are promised.",
    "too_few_one": "1 campaign went out in {year}, fewer than the {floor} that clients were told to expect.",
    "too_few_other": "{count} campaigns went out in {year}, fewer than the {floor} that clients were told to expect.",
    "unanswered": "A request for {kind} of client {client} (entry {entry}) has no answer; it was due on {due}.",
    "answered_late": "A request for {kind} of client {client} (entry {entry}) was due on {due} and got its answer on {day} (entry {closed}).",  # noqa: E501
    "miscounted_one": "The provider counted other parts than were foreseen of 1 text message; its count is in the cost.",  # noqa: E501
    "miscounted_other": "The provider counted other parts than were foreseen of {count} text messages; its count is in the cost.",  # noqa: E501
    "restored": "Entry {entry} tells of a restore.",
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
    # A message decided again, and what speaks against it as the end of that sentence.
    "no_terms": "Entry {entry} (send) names no terms of its campaign: it cannot be decided again.",
    "other_day": "Entry {entry} (send) counts on {day}, which was not its local date.",
    "not_following": "Entry {entry} (send) to client {client} does not follow from the ledger: {wrong}.",
    "other_verdict": "the verdict at that moment is {verdict} ({reason})",
    "other_way": "it would have gone by {channel}, and went by {went}",
    "other_answer": "the yes that stood is entry {stood}, and it names entry {named}",
    "other_address": "the client had address {kept}, and it went to address {used}",
    "few_to_client_one": "it counted 1 message to the client, and the ledger {counted}",
    "few_to_client_other": "it counted {count} messages to the client, and the ledger {counted}",
    "few_to_address_one": "it counted 1 message to the address, and the ledger {counted}",
    "few_to_address_other": "it counted {count} messages to the address, and the ledger {counted}",
    "unnamed_again_one": "1 more message like these is not named.",
    "unnamed_again_other": "{count} more messages like these are not named.",
    # The ledger beside the seals and the journal.
    "seal": "Seal {number} of {at}",
    "seal_line": "Line {number} of the file of seals holds no seal: it was altered.",
    "forged": "{seal} is forged: it does not carry the signature of its key.",
    "forged_key": "{seal} is forged: it is signed with a key that is not this installation's.",
    "seal_cut": "{seal} sealed chain {chain} up to position {position}, which is not there: the ledger was cut off or an older copy was put in its place. On paper it reads {words}.",  # noqa: E501
    "seal_rewritten": "{seal} sealed another history of chain {chain} up to position {position}: the ledger was rewritten after it. On paper it reads {words}.",  # noqa: E501
    "seal_taken_back": "{seal} sealed what the restore of entry {entry} took back: {words}.",
    "seal_row": "{seal} does not follow from the seal before it: one was taken out or put in.",
    "seal_unkept": "{seal} is missing from the file of seals.",
    "seal_untold": "{seal} is in the file of seals, and the ledger does not tell of it: its entry was taken out.",
    "no_seal_file": "There is no file of seals here: only the seals that the ledger tells of were checked.",
    "older_copy_one": "This database is an older copy: 1 record of the journal is not in it. Run `{command}`; nothing is sent until then.",  # noqa: E501
    "older_copy_other": "This database is an older copy: {count} records of the journal are not in it. Run `{command}`; nothing is sent until then.",  # noqa: E501
    "restore_put_in": "Entry {entry} tells of a restore that the journal knows nothing of: it was put in.",
    # What the ledger names by its hash.
    "wording_altered": "The wording {digest} was altered: its text does not carry that hash.",
    "wording_missing": "The wording {digest} is missing: answers were given to it.",
    "frozen_altered": "Campaign {name} ({number}): its frozen files were altered after it was scheduled.",
    "notice_altered": "Version {version} of the privacy notice is not what was published: it was altered.",
    # The ledger beside the tables that serve the screens.
    "only_table": "Campaign {name} ({number}) is in its table; the ledger knows nothing of it.",
    "only_ledger": "Campaign {name} ({number}) is in the ledger; its table knows nothing of it.",
    "told_otherwise": "Campaign {name} ({number}): its {field} is {told} by the ledger and {held} by its table.",
    "slot_only_ledger": "The ledger tells a slot on {day} that is {state}; the table of slots does not.",
    "slot_only_ledger_of": "The ledger tells a slot on {day} that is {state} for campaign {campaign}; the table of slots does not.",  # noqa: E501
    "slot_only_table": "The table of slots holds one on {day} that is {state}; the ledger does not tell it.",
    "slot_only_table_of": "The table of slots holds one on {day} that is {state} for campaign {campaign}; the ledger does not tell it.",  # noqa: E501
    "counted_otherwise": "Campaign {name} ({number}): the ledger counts {told} {line}, the outbox {held}.",
    "line": "{state}",
    "line_by": "{state} by {channel}",
    "line_withheld": "withheld for {reason}",
    "outbox_only": "The outbox holds a message of campaign {campaign} to client {client} that no entry tells of.",
    "outbox_lacks": "The ledger tells of a message of campaign {campaign} to client {client} that the outbox has not.",
    "fate_differs": "A message of campaign {campaign} to client {client}: its {differences}.",
    "fate_part": "{field} is {told} by the ledger and {held} in the outbox",
    "ends_differ": "Campaign {campaign}: what providers told afterwards is {told} messages' end by the ledger and {held} in the outbox, and not the same.",  # noqa: E501
    # The chain.
    "places_more_one": "1 further place of the ledger does not hold.",
    "places_more_other": "{count} further places of the ledger do not hold.",
    "not_opened": "The entry of the installation's opening, the first of all, is missing.",
    "link_begins": "Group {group} does not follow from the beginning before it: one of them was put in place of another.",  # noqa: E501
    "link": "Group {group} does not follow from group {before} before it: one of them was put in place of another.",
    "extra": "Group {group} was chained over {entries} and holds {held}: at least one was put in later.",
    "extra_named": "Group {group} was chained over {entries} and holds {held}: entry {entry} was put in later.",
    "altered_entry": "Entry {entry} ({what}, group {group}) was altered: it does not carry its own digest.",
    "altered_group": "Group {group} (entries {first} to {last}) does not carry its own hash: it was altered, or an entry of it together with its digest.",  # noqa: E501
    "missing": "Group {group} was chained over {entries} and holds {held}: {lacks} missing.",
    "missing_named": "Group {group} was chained over {entries} and holds {held}: {lacks} missing. Not there: entry {holes}.",  # noqa: E501
    "entries_one": "1 entry",
    "entries_other": "{count} entries",
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
    "stub_of_another": "A stub stands beside entry {entry} ({what}), which tells of no message and goes with no year: it was put in.",  # noqa: E501
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
    "destroyed_unfinished": "Some of the messages of {year} still stand in the database: the program goes on destroying them by itself.",  # noqa: E501
    "destruction_begun": "The destruction of {year} was begun and cut short; nothing of it is gone yet.",
    "transfer": "Text messages go by {company}, whose people may reach data from outside the EU. Why that was accepted: {note}",  # noqa: E501
}


def say(name: str, /, **values: object) -> Sentence:
    """Return the saying of this name with these values; `count` chooses between one that has two forms."""
    pattern = SAYINGS.get(name)
    return Sentence.of(pattern or SAYINGS[f"{name}_{'one' if values['count'] == 1 else 'other'}"], name, **values)
