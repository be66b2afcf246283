"""The audit of a year on a terminal and in a spreadsheet; the figures are those of YearAudit and no others."""

import textwrap
from collections.abc import Mapping

from dispatcher.flow.audit_year import CampaignFigures, YearAudit
from dispatcher.flow.spreadsheet import csv_text
from dispatcher.rules.budget import CEILING, FLOOR
from dispatcher.rules.campaign import Channel

_WIDTH = 100
_ABOUT = ("year", "day", "name", "title", "kind", "state")
_COUNTS = ("planned", "accepted", "refused", "unknown")
_TITLE = 22


def to_csv(audit: YearAudit) -> str:
    """Return the campaigns as CSV (RFC 4180), one row each; no cell begins as a formula would."""
    by_channel = [f"{channel.value}_{count}" for channel in Channel for count in _COUNTS]
    head = (
        *_ABOUT,
        *_COUNTS,
        "open",
        "withheld",
        "withheld_by_reason",
        *by_channel,
        "opted_out_after",
        "sms_parts",
        "sms_cost",
        "may_have_arrived",
        "later",
    )
    return csv_text([head, *(_cells(audit.year, campaign) for campaign in audit.campaigns)])


def to_text(audit: YearAudit) -> str:
    """Return the audit as lines of at most 100 characters: what did not hold first, then the figures."""
    verdict = "every promise held" if audit.ok else f"{_counted(len(audit.findings), 'finding')}"
    lines = [f"The year {audit.year}: {verdict}.", ""]
    lines += _listed("Findings", audit.findings) + _listed("Remarks", audit.remarks)
    lines += _campaign_lines(audit) + _answers(audit)
    state = "whole" if audit.chain.ok else "BROKEN"
    lines.append(f"The ledger: {audit.chain.entries} entries in {audit.chain.groups} groups, {state}.")
    return "\n".join(line for each in lines for line in _fitted(each))


def answers(audit: YearAudit) -> list[tuple[str, str]]:
    """Return each question an auditor asks with its reply, in words."""
    found: list[tuple[str, str]] = []
    for line in _answers(audit):
        question, _, reply = line.partition(": ")
        if line.startswith(" "):
            more = line.strip()
            found[-1] = (found[-1][0], f"{found[-1][1]} {more[:1].upper()}{more[1:]}.")
        else:
            found.append((question, reply))
    return found


def _cells(year: int, campaign: CampaignFigures) -> list[object]:
    withheld = "; ".join(f"{reason}={count}" for reason, count in campaign.withheld.items())
    channels = [getattr(campaign.channels[channel.value], count) for channel in Channel for count in _COUNTS]
    return [
        year,
        campaign.day.isoformat() if campaign.day else "",
        campaign.name,
        campaign.title,
        campaign.kind,
        campaign.state,
        *(getattr(campaign, count) for count in _COUNTS),
        campaign.open,
        sum(campaign.withheld.values()),
        withheld,
        *channels,
        campaign.opted_out_after,
        campaign.sms_parts,
        campaign.sms_cost,
        campaign.may_have_arrived,
        "; ".join(f"{name}={count}" for name, count in campaign.later.items()),
    ]


def _campaign_lines(audit: YearAudit) -> list[str]:
    head = f"{'day':<10}  {'campaign':<{_TITLE}}  planned  accepted  email   sms  refused  unknown  open  withheld"
    lines = ["Campaigns", head] if audit.campaigns else ["Campaigns: none.", ""]
    for each in audit.campaigns:
        email, sms = (each.channels[channel.value].accepted for channel in (Channel.EMAIL, Channel.SMS))
        title = textwrap.shorten(each.title or each.name, _TITLE, placeholder="…")
        day = each.day.isoformat() if each.day else "-"
        lines.append(
            f"{day:<10}  {title:<{_TITLE}}  {each.planned:>7}  {each.accepted:>8}  {email:>5}  {sms:>4}  "
            f"{each.refused:>7}  {each.unknown:>7}  {each.open:>4}  {sum(each.withheld.values()):>8}"
        )
        lines += [f"    withheld: {_spoken(each.withheld)}"] if each.withheld else []
        if each.may_have_arrived:
            lines.append(
                f"    nobody can tell any more of {each.may_have_arrived} of the unknown: they may have arrived"
            )
        lines += [f"    told afterwards: {_spoken(each.later)}"] if each.later else []
        lines += [f"    {_counted(each.opted_out_after, 'client')} said no after it"] if each.opted_out_after else []
    return [*lines, ""] if audit.campaigns else lines


def _answers(audit: YearAudit) -> list[str]:
    slots, messages = audit.slots, audit.messages
    left = messages.accepted + messages.unknown
    often = (
        f"How often: {slots.spent} campaigns of the {FLOOR} to {CEILING} promised; at most {slots.most_in_365_days} in "
        f"any 365 days; {slots.taken} more have their slot."
    )
    many = (
        f"To how many: {_counted(messages.clients, 'client')} got {_counted(left, 'message')} "
        f"({messages.accepted} accepted, {messages.unknown} unknown). The most any one client got in any 365 days: "
        f"{messages.most_per_client}; any one address: {messages.most_per_address}."
    )
    lines = [often, *_declared(audit), many]
    if messages.restored:
        lines.append(f"    after a restore nobody can say more of: {_counted(messages.restored, 'message')}")
    lines.append(f"Had each agreed: {messages.agreed} of {left}.")
    if messages.oldest_yes_days is not None:
        lines[-1] += f" The oldest yes was {_counted(messages.oldest_yes_days, 'day')} old."
        lines.append(f"    by age of the yes in days: {_spoken(messages.ages)}")
        lines.append(f"    by place asked: {_spoken(messages.places)}")
    if messages.sms_parts:
        lines.append(f"What the text messages cost: {_counted(messages.sms_parts, 'part')}, {messages.sms_cost} €.")
        if messages.sms_without_price:
            lines.append(f"    without a price on record: {_counted(messages.sms_without_price, 'text message')}")
    return lines


def _declared(audit: YearAudit) -> list[str]:
    """Return a line for each declaration: a person's word, which no entry can be recounted for."""
    return [
        f"    declared, sent beside this program: {each.day.isoformat()} {each.title}, "
        f"{_counted(each.messages, 'message')} by {' and '.join(each.channels)} (said by {each.by} on "
        f"{each.declared_on.isoformat()})"
        for each in audit.declared
    ]


def _listed(title: str, sentences: tuple[str, ...]) -> list[str]:
    return [title, *(f"  - {sentence}" for sentence in sentences), ""] if sentences else []


def _spoken(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _fitted(line: str) -> list[str]:
    if len(line) <= _WIDTH:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, _WIDTH, subsequent_indent=indent)
