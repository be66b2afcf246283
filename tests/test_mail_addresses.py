"""The addresses that answer a mail: what was made here is read, whatever mail servers do to it, and nothing else is."""

import base64
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.errors import LinkError
from dispatcher.keys import KEY_IDS, Key, KeyKind, KeyRing
from dispatcher.links import (
    BOUNCE_TOKEN_LENGTH,
    CLIENT_BITS,
    LONGEST_LOCAL_PART,
    Bounce,
    Confirm,
    ConfirmLinks,
    MailAddresses,
    OptOut,
    OptOutLinks,
    PlusAddress,
    Renewal,
    RenewalLinks,
    ReplyTo,
    WaysBack,
    _encode,
)
from dispatcher.rules.campaign import Channel

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
INBOX, BOUNCES = PlusAddress.of("hei@tunturituuli.example"), PlusAddress.of("palautus@m.tunturituuli.example")
_clients = st.integers(0, 2**CLIENT_BITS - 1)
_ids = st.binary(min_size=16, max_size=16).map(bytes.hex)
_folded = st.sampled_from([str, str.upper, str.title, str.swapcase])


def _ring(*ids: str) -> KeyRing:
    return KeyRing({KeyKind.TOKEN: tuple(Key(KeyKind.TOKEN, key, key.encode() * 32) for key in ids)})


def _addresses(ring: KeyRing) -> tuple[MailAddresses, OptOutLinks]:
    links = OptOutLinks(ring, "https://m.example.fi")
    return MailAddresses(ring, links, INBOX, BOUNCES), links


ADDRESSES, LINKS = _addresses(_ring("1"))


def _back(client: int, message_id: str) -> WaysBack:
    return ADDRESSES.ways_back(client, message_id, LINKS.token(OptOut(client, Channel.EMAIL)))


def _token(address: str) -> str:
    found = ADDRESSES.token_in(address)
    assert found is not None
    return found


@given(_clients, _ids, st.sampled_from(KEY_IDS), _folded)
@example(0, "0" * 32, "1", str)
@example(2**CLIENT_BITS - 1, "f" * 32, KEY_IDS[-1], str.upper)
def test_each_address_reads_as_what_it_was_made_for(client: int, message_id: str, key_id: str, fold: type[str]) -> None:
    """E-13, E-60: opt-out, reply and bounce come back under whichever key, whatever case a server gives them."""
    addresses, links = _addresses(_ring(key_id))
    back = addresses.ways_back(client, message_id, links.token(OptOut(client, Channel.EMAIL)))
    found = [addresses.token_in(fold(each)) for each in (back.opt_out, back.reply_to, back.bounce_to)]
    expected = [OptOut(client, Channel.EMAIL), ReplyTo(client, Channel.EMAIL), Bounce(message_id)]
    assert expected == [addresses.read(token or "") for token in found]


@given(_clients, _ids)
def test_addresses_are_short_and_plain(client: int, message_id: str) -> None:
    """E-03, E-60: a mailto: of at most 75 characters, local parts of at most 64 octets, lower-case base32."""
    back = _back(client, message_id)
    assert len(f"mailto:{back.opt_out}") <= 75
    for address in (back.opt_out, back.reply_to, back.bounce_to):
        assert len(address.rpartition("@")[0].encode()) <= LONGEST_LOCAL_PART
        assert set(_token(address)) <= set(BASE32)
    assert BOUNCE_TOKEN_LENGTH == len(_token(back.bounce_to))


def test_a_bounce_address_of_sixteen_letters_still_fits() -> None:
    """E-60: 16 letters, the separator and the token of a bounce are together the 64 octets that a local part has."""
    longest = PlusAddress("b" * 16, "m.example")
    addresses = MailAddresses(_ring("1"), LINKS, longest, longest)
    assert LONGEST_LOCAL_PART == len(addresses.bounce_to("0" * 32).rpartition("@")[0])


def test_the_opt_out_by_mail_carries_the_token_of_the_link() -> None:
    """E-13: the same token opts out by the web and by mail, and the address reads back to the client alone."""
    token = LINKS.token(OptOut(7, Channel.EMAIL))
    assert f"hei+{token}@tunturituuli.example" == _back(7, "0" * 32).opt_out


@given(_clients, _ids)
def test_no_address_passes_for_another(client: int, message_id: str) -> None:
    """E-60: each kind is sealed under a label of its own; none is a link of another kind either."""
    back = _back(client, message_id)
    ring = _ring("1")
    reply, bounce = _token(back.reply_to), _token(back.bounce_to)
    for token in (reply, bounce):
        for links in (LINKS, ConfirmLinks(ring, "https://m.example"), RenewalLinks(ring, "https://m.example")):
            with pytest.raises(LinkError):
                links.read(token)
    strange = (
        ConfirmLinks(ring, "https://m.example").token(Confirm(client, Channel.EMAIL)),
        RenewalLinks(ring, "https://m.example").token(Renewal(client, Channel.EMAIL, 5)),
        RenewalLinks(ring, "https://m.example").token(Renewal(client, Channel.SMS, 5)),
        ConfirmLinks(ring, "https://m.example").token(Confirm(client, Channel.SMS)),
    )
    for token in strange:
        with pytest.raises(LinkError):
            ADDRESSES.read(token)


@given(_clients, _ids, st.data())
def test_an_altered_token_leads_to_nobody_else(client: int, message_id: str, data: st.DataObject) -> None:
    """E-60: a bounce or a reply with a changed character is refused, or means the same by its spare bits."""
    back = _back(client, message_id)
    for address, expected in ((back.reply_to, ReplyTo(client, Channel.EMAIL)), (back.bounce_to, Bounce(message_id))):
        token = _token(address)
        place = data.draw(st.integers(0, len(token) - 1))
        other = data.draw(st.sampled_from(BASE32 + "0189" + string.punctuation))
        try:
            assert expected == ADDRESSES.read(token[:place] + other + token[place + 1 :])
        except LinkError:
            continue


@given(st.one_of(st.text(max_size=80), st.text(BASE32, max_size=60)))
@example("")
@example("a" * BOUNCE_TOKEN_LENGTH)
def test_what_was_not_made_here_is_refused(text: str) -> None:
    """E-60: whatever stands in an address, nothing is raised but the error that says that it is none of ours."""
    with pytest.raises(LinkError):
        ADDRESSES.read(text)


def test_addresses_survive_a_rotation() -> None:
    """E-10: what the old key made is read as long as the ring has it; new mails use the new one."""
    (old, links), (both, _), (new, _) = (_addresses(_ring(*ids)) for ids in (["1"], ["1", "2"], ["2"]))
    back = old.ways_back(5, "ab" * 16, links.token(OptOut(5, Channel.EMAIL)))
    tokens = [old.token_in(each) or "" for each in (back.reply_to, back.bounce_to, back.opt_out)]
    expected = [ReplyTo(5, Channel.EMAIL), Bounce("ab" * 16), OptOut(5, Channel.EMAIL)]
    assert expected == [both.read(token) for token in tokens]
    assert both.bounce_to("ab" * 16) == new.bounce_to("ab" * 16) != old.bounce_to("ab" * 16)
    for token in tokens:
        with pytest.raises(LinkError):
            new.read(token)


@pytest.mark.parametrize(
    ("address", "token"),
    [
        ("hei+abc@tunturituuli.example", "abc"),
        ("HEI+ABC@Tunturituuli.Example", "abc"),
        (" hei+abc@tunturituuli.example ", "abc"),
        ("palautus+abc@m.tunturituuli.example", "abc"),
        ("hei+@tunturituuli.example", ""),
        ("hei@tunturituuli.example", None),
        ("hei-abc@tunturituuli.example", None),
        ("ohei+abc@tunturituuli.example", None),
        ("hei+abc@tunturituuli.example.evil.example", None),
        ("hei+abc@m.tunturituuli.example", None),
        ("hei+abc", None),
        ("", None),
    ],
)
def test_only_our_own_plus_addresses_are_ours(address: str, token: str | None) -> None:
    """E-13: what is not at one of our plus-addresses is nobody's business here."""
    assert token == ADDRESSES.token_in(address)


def test_another_separator_can_be_chosen() -> None:
    """Some mail servers part an address by a dash."""
    own = PlusAddress.of("hei@tunturituuli.example", "-")
    assert "hei-abc@tunturituuli.example" == own.with_token("abc")
    assert own.token_in("hei+abc@tunturituuli.example") is None


def test_a_test_message_is_answered_for_nobody() -> None:
    """Who answers a test message opts nobody out; that it could not be delivered is told all the same."""
    back = ADDRESSES.of_test("cd" * 16)
    assert back.reply_to == back.opt_out
    assert ADDRESSES.is_test(_token(back.opt_out))
    assert not ADDRESSES.is_test(_token(_back(0, "0" * 32).opt_out))
    with pytest.raises(LinkError):
        ADDRESSES.read(_token(back.opt_out))
    assert Bounce("cd" * 16) == ADDRESSES.read(_token(back.bounce_to))


@given(st.binary(max_size=40))
def test_tokens_are_base32_as_everybody_writes_it(raw: bytes) -> None:
    """RFC 4648, section 6: in small letters and without padding, whatever the length."""
    assert base64.b32encode(raw).decode().rstrip("=").lower() == _encode(raw)


def test_a_message_id_of_another_form_is_a_bug() -> None:
    """What no token can hold is never cut to what another message has."""
    with pytest.raises(ValueError, match="hex"):
        ADDRESSES.bounce_to("preview")
