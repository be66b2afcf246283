"""The page the inbox opens with: what was sent, who was left out and why, who left, and what was checked."""

import html

from dispatcher.demo.account import Account, Check, Left, Sent
from dispatcher.demo.inbox import Markup, page
from dispatcher.demo.places import Places
from dispatcher.rules.campaign import Language
from dispatcher.rules.decision import Reason
from dispatcher.texts import reason_text


def write_summary(account: Account, places: Places, url: str) -> None:
    """Write the summary beside the messages' pages."""
    failed = sum(not check.ok for check in account.checks)
    verdict = f"All {len(account.checks)} hold." if not failed else f"{failed} of {len(account.checks)} do NOT hold."
    shown = page(
        "summary.html",
        studio=account.studio,
        campaigns=Markup("\n".join(_campaign(sent) for sent in account.campaigns)),
        left=Markup("\n".join(_left(left) for left in account.left)),
        audit=account.audit.text if account.audit else "",
        tampering=_tampering(account),
        url=url,
        workspace=places.workspace,
        verdict=verdict,
        checks=Markup("\n".join(_check(check) for check in account.checks)),
    )
    (places.pages / "summary.html").write_text(shown, encoding="utf-8")


def _campaign(sent: Sent) -> str:
    rows = [
        ("Emails accepted", sent.accepted["email"]),
        ("Text messages accepted", sent.accepted["sms"]),
        ("Refused for good", sent.refused.total()),
        ("Unknown: no receipt came, so never sent again", sent.unknown.total()),
        *((f"Not: {reason_text(Reason(reason), Language.EN)}", n) for reason, n in sent.withheld.most_common()),
    ]
    body = "\n".join(f'<tr><td>{html.escape(what)}</td><td class="number">{n}</td></tr>' for what, n in rows)
    title = f"{html.escape(sent.title)}, {sent.moment.day} {sent.moment:%B %Y}"
    return f"<h2>{title}</h2>\n<table><tbody>\n{body}\n</tbody></table>"


def _left(left: Left) -> str:
    cells = f"<td>{html.escape(left.name)}</td><td>{html.escape(left.role.value)}</td><td>{left.when:%d.%m. %H:%M}</td>"
    counts = "".join(f'<td class="number">{count}</td>' for count in (left.messages_before, left.messages_after))
    return f"<tr>{cells}{counts}</tr>"


def _tampering(account: Account) -> str:
    if account.audit is None:
        return ""
    found = account.audit.tampering
    says = " ".join(found.findings)
    return f"One byte of entry {found.entry} was altered in a copy. The audit of the copy says: {says}"


def _check(check: Check) -> str:
    if check.ok:
        return f"<li>{html.escape(check.name)}</li>"
    told = f"{check.name}: expected {check.expected}, found {check.actual}"
    return f'<li class="failed">{html.escape(told)}</li>'
