"""What the tables of dispatcher.toml are made of: kinds of values, each checked, and the base of every table."""

from datetime import date, time
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dispatcher.rules.address import AddressError, canonical_email
from dispatcher.rules.cost import COUNTRIES
from dispatcher.rules.places import web_address
from dispatcher.rules.signing import domain, selector
from dispatcher.rules.sms_sender import checked_sender
from dispatcher.rules.sms_words import is_shortener


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("this is no time zone; write for example Europe/Helsinki") from None
    return name


def _mail_address(text: str) -> str:
    try:
        return canonical_email(text)
    except AddressError as error:
        raise ValueError(f"this is no email address: {error}") from None


def _proxy(text: str) -> str:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError("write addresses of web servers, such as 127.0.0.1 or 10.0.0.0/24") from None
    if network.prefixlen == 0:
        raise ValueError("this is everybody, and then any visitor could say to be another: name your web servers")
    return text


def _hour(text: str) -> str:
    try:
        if time.fromisoformat(text).tzinfo is None:
            return text
    except ValueError:
        pass
    raise ValueError("write an hour of the day as 09:00")


def _day_of_the_year(text: str) -> str:
    try:
        date.fromisoformat(f"2000-{text}")
    except ValueError:
        raise ValueError('write a day as 2026-09-05, or as "09-05" for every year') from None
    return text


def _own_address(text: str) -> str:
    address = web_address(text)
    if is_shortener(urlsplit(address).hostname or ""):
        raise ValueError("this shortens other people's addresses: the links of messages are at a domain of your own")
    return address


def _sms_sender(text: str) -> str:
    return checked_sender(text) if text else text


def _country_codes(prices: dict[str, Decimal]) -> dict[str, Decimal]:
    named = {country.upper(): price for country, price in prices.items()}  # the environment knows no capitals
    strange = [country for country in prices if country.upper() not in COUNTRIES]
    if strange:
        raise ValueError(
            f"{strange[0]} is no country: write two letters, as FI = 0.08, and the price everywhere else as part_price"
        )
    return named


WebAddress = Annotated[str, AfterValidator(web_address)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
Hour = Annotated[str, AfterValidator(_hour)]
Selector = Annotated[str, AfterValidator(selector)]
Domain = Annotated[str, AfterValidator(domain)]
Proxy = Annotated[str, AfterValidator(_proxy)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
PartPrice = Annotated[Decimal, Field(ge=0, le=10, max_digits=8)]
Zone = Annotated[str, AfterValidator(_zone)]
DayOfTheYear = Annotated[str, AfterValidator(_day_of_the_year)]
OwnAddress = Annotated[str, AfterValidator(_own_address)]
SmsSender = Annotated[str, AfterValidator(_sms_sender)]
CountryPrices = Annotated[dict[str, PartPrice], AfterValidator(_country_codes)]


class Section(BaseModel):
    """A table of dispatcher.toml: no key beside those it names, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
