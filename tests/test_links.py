"""Opt-out links: what was made here is read, whatever mail programs do to it, and nothing else is."""

import base64
import hmac
import string
from types import SimpleNamespace
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.errors import LinkError
from dispatcher.keys import KEY_IDS, Key, KeyKind, KeyRing
from dispatcher.links import CLIENT_BITS, Confirm, ConfirmLinks, OptOut, OptOutLinks, Renewal, RenewalLinks
from dispatcher.rules.campaign import Channel

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
LENGTHS = {Channel.EMAIL: 37, Channel.SMS: 31}
MAC_BITS = {Channel.EMAIL: 128, Channel.SMS: 96}


def _ring(*ids: str) -> KeyRing:
    """Return a ring whose token keys have these ids, each with a secret of its own."""
    return KeyRing({KeyKind.TOKEN: tuple(Key(KeyKind.TOKEN, key, key.encode() * 32) for key in ids)})


LINKS = OptOutLinks(_ring("1"), "https://m.example.fi")
RENEWALS = RenewalLinks(_ring("1"), "https://m.example.fi")
_renewals = st.builds(
    Renewal, st.integers(0, 2**CLIENT_BITS - 1), st.sampled_from(Channel), st.integers(1, 2**CLIENT_BITS - 1)
)
_links = st.builds(OptOut, st.integers(0, 2**CLIENT_BITS - 1), st.sampled_from(Channel))
_stray = st.text(alphabet=".,;:!?)>]}'\"/ \t\r\n=-_<(*«»…\N{ZERO WIDTH SPACE}\N{NO-BREAK SPACE}", max_size=6)


@given(_links, st.sampled_from(KEY_IDS))
@example(OptOut(0, Channel.EMAIL), "1")
@example(OptOut(2**CLIENT_BITS - 1, Channel.SMS), KEY_IDS[-1])
def test_a_link_reads_as_what_it_was_made_for(link: OptOut, key_id: str) -> None:
    """E-05: client and channel come back, under whichever key."""
    links = OptOutLinks(_ring(key_id), "https://m.example.fi")
    assert link == links.read(links.token(link))


@given(_links)
def test_a_token_is_short_and_plain(link: OptOut) -> None:
    """E-03: lower-case base32, 37 characters in mail and 31 in a text message; the address is below 76."""
    token = LINKS.token(link)
    assert LENGTHS[link.channel] == len(token)
    assert set(token) <= set(BASE32)
    assert f"https://m.example.fi/u/{token}" == LINKS.url(link)
    assert len(LINKS.url(link)) <= 75


@pytest.mark.parametrize("public_url", ["https://m.example.fi", "https://m.example.fi/", "https://m.example.fi//"])
def test_the_public_address_may_end_in_a_slash(public_url: str) -> None:
    """E-08: the address in the mail has one slash where one belongs."""
    link = OptOut(5, Channel.EMAIL)
    assert f"https://m.example.fi/u/{LINKS.token(link)}" == OptOutLinks(_ring("1"), public_url).url(link)


def test_a_host_of_27_letters_still_fits_the_header() -> None:
    """E-03: https://, a host, /u/ and the token of a mail are together no longer than a header bears unfolded."""
    assert 75 == len(OptOutLinks(_ring("1"), f"https://{'h' * 24}.fi").url(OptOut(1, Channel.EMAIL)))


@given(_links, st.data())
def test_any_other_character_is_refused_or_means_the_same(link: OptOut, data: st.DataObject) -> None:
    """E-05: a token with one character changed leads to nobody else, and to no other channel."""
    token = LINKS.token(link)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(BASE32 + "0189" + string.ascii_uppercase + "åÄ%"))
    _refused_or(link, token[:place] + other + token[place + 1 :])


def test_every_single_flip_of_one_token_is_refused_or_means_the_same() -> None:
    """E-05: tried whole; only the spare bits of the last character are free."""
    for channel in Channel:
        link = OptOut(2**47 + 12345, channel)
        token = LINKS.token(link)
        for place, letter in enumerate(token):
            for other in BASE32.replace(letter, ""):
                spoiled = token[:place] + other + token[place + 1 :]
                if place < len(token) - 1:
                    with pytest.raises(LinkError):
                        LINKS.read(spoiled)
                else:
                    _refused_or(link, spoiled)


@given(_links, st.data())
def test_a_character_lost_or_gained_is_refused_or_means_the_same(link: OptOut, data: st.DataObject) -> None:
    """E-05: a token that was cut, or that something grew into, leads to nobody else."""
    token = LINKS.token(link)
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, len(token)))
    _refused_or(link, token[:start] + token[end:])
    _refused_or(link, token[:start] + data.draw(st.text(BASE32, min_size=1, max_size=9)) + token[start:])


def _refused_or(link: OptOut, token: str) -> None:
    """Assert that a token is refused, or read as this link."""
    try:
        found = LINKS.read(token)
    except LinkError:
        found = link
    assert link == found


@given(st.one_of(st.text(max_size=60), st.text(BASE32, max_size=40), st.binary(max_size=40).map(repr)))
@example("")
@example("a")
@example("a" * 37)
@example("\N{KELVIN SIGN}\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}")
def test_what_was_not_made_here_is_refused(text: str) -> None:
    """E-15: whatever is in the path, nothing is raised but the error that says so, and no client comes of it."""
    with pytest.raises(LinkError):
        LINKS.read(text)


@given(_links, _stray, _stray)
def test_case_and_stray_signs_are_forgiven(link: OptOut, before: str, after: str) -> None:
    """X-03: scanners fold case, mail programs take the full stop or the bracket along."""
    token = LINKS.token(link)
    for written in (token, token.upper(), token.title(), token.swapcase()):
        assert link == LINKS.read(before + written + after)


@given(_links, st.integers(1, 30))
def test_a_token_broken_over_two_lines_is_forgiven(link: OptOut, place: int) -> None:
    """X-03: a copied link may hold a line end, a blank or a soft hyphen."""
    token = LINKS.token(link)
    for stray in ("\r\n", " ", "\N{SOFT HYPHEN}", "-"):
        assert link == LINKS.read(token[:place] + stray + token[place:])


@given(_links)
def test_percent_encoding_changes_nothing(link: OptOut) -> None:
    """X-03: a token consists of letters that no encoding touches, and reads the same decoded from any."""
    token = LINKS.token(link)
    assert token == quote(token, safe="")
    assert link == LINKS.read(unquote("".join(f"%{ord(letter):02X}" for letter in token)))


def test_links_survive_a_rotation() -> None:
    """E-10: what the old key made is read as long as it is in the ring; new links use the new one."""
    link = OptOut(77, Channel.EMAIL)
    old, both, new = (OptOutLinks(_ring(*ids), "https://m.example.fi") for ids in (["1"], ["1", "2"], ["2"]))
    assert link == both.read(old.token(link))
    assert new.token(link) == both.token(link) != old.token(link)
    with pytest.raises(LinkError):
        new.read(old.token(link))


@given(_links)
def test_another_installation_cannot_make_our_links(link: OptOut) -> None:
    """E-05: the same id with another secret is not our key."""
    stranger = KeyRing({KeyKind.TOKEN: (Key(KeyKind.TOKEN, "1", b"x" * 32),)})
    with pytest.raises(LinkError):
        LINKS.read(OptOutLinks(stranger, "https://m.example.fi").token(link))


@given(_links)
def test_a_token_holds_nothing_but_number_channel_and_mac(link: OptOut) -> None:
    """E-05: key id, the client's random number and a flag, then the MAC: no place for an address or a name."""
    token = LINKS.token(link)
    raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    head, mac = raw[:7], raw[7:]
    flag = 1 if link.channel is Channel.SMS else 0
    assert bytes([KEY_IDS.index("1") << 1 | flag]) + link.client.to_bytes(6, "big") == head
    assert MAC_BITS[link.channel] == len(mac) * 8
    assert token == LINKS.token(link)


def test_a_link_of_a_mail_is_none_of_a_text_message() -> None:
    """E-05: a long code cut down to the length of a short one is not a link."""
    mail, message = (LINKS.token(OptOut(5, channel)) for channel in (Channel.EMAIL, Channel.SMS))
    assert mail[:31] != message
    with pytest.raises(LinkError):
        LINKS.read(mail[:31])


def test_a_client_number_that_is_too_wide_is_a_bug() -> None:
    """A number no token can hold is never cut to one that another client has."""
    with pytest.raises(OverflowError):
        LINKS.token(OptOut(2**CLIENT_BITS, Channel.EMAIL))


def test_the_error_says_nothing_about_the_token() -> None:
    """E-15, X-06: who tries links learns only that this is none, and no log gets the token."""
    with pytest.raises(LinkError) as caught:
        LINKS.read("abcdefg234567")
    assert "abcdefg" not in str(caught.value)
    assert str(LinkError()) == str(caught.value)


@pytest.mark.parametrize("channel", Channel)
def test_no_link_passes_for_another(channel: Channel) -> None:
    """X-04: an opt-out token never confirms, and a confirmation's token never opts out, of whatever number."""
    ring = _ring("1")
    leaving, confirming = OptOutLinks(ring, "https://m.example"), ConfirmLinks(ring, "https://m.example")
    left, confirmed = leaving.token(OptOut(7, channel)), confirming.token(Confirm(7, channel))
    assert OptOut(7, channel) == leaving.read(left)
    assert Confirm(7, channel) == confirming.read(confirmed)
    with pytest.raises(LinkError):
        confirming.read(left)
    with pytest.raises(LinkError):
        leaving.read(confirmed)
    assert f"https://m.example/join/{confirmed}" == confirming.url(Confirm(7, channel))


@given(_renewals, st.sampled_from(KEY_IDS))
def test_a_renewal_reads_as_what_it_was_made_for(link: Renewal, key_id: str) -> None:
    """L-09: client, channel and the answer to renew come back, under whichever key."""
    links = RenewalLinks(_ring(key_id), "https://m.example.fi")
    assert link == links.read(links.token(link))


@given(_renewals)
def test_a_renewal_token_is_plain(link: Renewal) -> None:
    """A renewal link is lower-case base32 below /r/, 47 characters in mail."""
    token = RENEWALS.token(link)
    assert {Channel.EMAIL: 47, Channel.SMS: 40}[link.channel] == len(token)
    assert set(token) <= set(BASE32)
    assert f"https://m.example.fi/r/{token}" == RENEWALS.url(link)


@given(_renewals)
def test_a_renewal_never_opts_out(link: Renewal) -> None:
    """A renewal link says no to nothing, and an opt-out link renews nothing: each has a MAC of its own."""
    with pytest.raises(LinkError):
        LINKS.read(RENEWALS.token(link))
    with pytest.raises(LinkError):
        RENEWALS.read(LINKS.token(OptOut(link.client, link.channel)))


@given(_renewals, st.data())
def test_an_altered_renewal_is_no_link(link: Renewal, data: st.DataObject) -> None:
    """No other client, channel or answer can be reached by changing a letter of a token."""
    token = RENEWALS.token(link)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(BASE32))
    altered = token[:place] + letter + token[place + 1 :]
    try:
        assert link == RENEWALS.read(altered)
    except LinkError:
        assert altered != token


@given(_links, st.integers(0, 15))
def test_a_wrong_seal_is_compared_whole(link: OptOut, place: int) -> None:
    """E-15: every seal, right or wrong at any place, is compared by the one function that takes constant time."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    raw = bytearray(base64.b32decode(LINKS.token(link).upper() + "=" * (-LENGTHS[link.channel] % 8)))
    raw[7 + place % (len(raw) - 7)] ^= 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dispatcher.links.hmac", SimpleNamespace(compare_digest=compare))
        with pytest.raises(LinkError):
            LINKS.read(base64.b32encode(bytes(raw)).decode().rstrip("=").lower())
        assert link == LINKS.read(LINKS.token(link))
    whole = MAC_BITS[link.channel] // 8
    assert [(whole, whole)] * 2 == compared


@given(_links, st.data())
def test_a_cut_token_is_known_by_its_shape(link: OptOut, data: st.DataObject) -> None:
    """Of any token that lost characters at its end it is said so, whoever it was for; of a whole one it never is."""
    token = LINKS.token(link)
    kept = data.draw(st.integers(8, len(token) - 1))
    assert LINKS.is_cut(token[:kept])
    assert LINKS.is_cut(token[:kept].upper() + ".")
    assert not LINKS.is_cut(token)
    assert not LINKS.is_cut(token[:7])
    assert not OptOutLinks(_ring("2"), "https://m.example.fi").is_cut(token[:kept])


@given(st.text())
def test_any_text_is_cut_or_not(text: str) -> None:
    """Whatever somebody types, the shape is judged without an error."""
    assert LINKS.is_cut(text) in {True, False}


@given(_links)
def test_a_short_host_for_text_messages(link: OptOut) -> None:
    """S-10: links of text messages are at the short host, those of mails are not, and both are read alike."""
    links = OptOutLinks(_ring("1"), "https://viestit.studio.example", "https://rt.example/")
    host = "https://rt.example" if link.channel is Channel.SMS else "https://viestit.studio.example"
    assert f"{host}/u/{links.token(link)}" == links.url(link)
    assert links.test_url(link.channel).startswith(f"{host}/u/")
    assert link == LINKS.read(links.token(link))
    confirm = ConfirmLinks(_ring("1"), "https://viestit.studio.example", "https://rt.example")
    assert confirm.url(Confirm(5, link.channel)).startswith(f"{host}/join/")
