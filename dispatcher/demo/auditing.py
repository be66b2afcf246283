"""The year is added up from the ledger alone; then a copy of the ledger is altered, to see whether anybody notices."""

import json
from datetime import datetime

from dispatcher.demo.account import Audited
from dispatcher.demo.clock import ZONE
from dispatcher.demo.people import Role
from dispatcher.demo.scene import Scene
from dispatcher.demo.tampering import tamper
from dispatcher.errors import RenderingError
from dispatcher.flow.audit_formats import to_csv, to_text
from dispatcher.flow.audit_paper import to_pdf
from dispatcher.flow.audit_year import YearAudit
from dispatcher.rules.campaign import Language

YEAR = 2026
_CHANNELS = ("email", "sms")


def audit_the_year(scene: Scene) -> None:
    """Audit the year, hold it against what the doubles received, and write it down in every form."""
    scene.clock.reach(datetime(2026, 3, 18, 9, tzinfo=ZONE))
    scene.chapter("6. The year is audited")
    with scene.teller.progress("entries") as tell:
        report = scene.dispatcher.audit.year(YEAR, tell)
    scene.say(*(f"  {line}".rstrip() for line in to_text(report).splitlines()))
    _check(scene, report)
    leaver = scene.sample.played(Role.LINK)
    client = scene.dispatcher.register.find(leaver.mobile or leaver.name)
    found = tamper(scene.places, client, scene.clock)
    scene.account.audit = Audited(
        YEAR,
        report.ok,
        report.findings,
        report.as_json(),
        to_text(report),
        to_csv(report),
        found,
        _paper(scene, report),
    )
    scene.chapter("7. Somebody alters one byte")
    scene.say(
        "  In a copy of the ledger. The database itself refuses; so its guard is taken off first. Then, in the date of",
        f"  {leaver.name}'s no, {found.before} becomes {found.after}: her yes would be the later word again.",
        *(f"  The audit of the copy says: {finding}" for finding in found.findings),
    )
    scene.account.check("the database refuses to alter an entry", expected=True, actual=found.was_refused_first)
    scene.account.check("the audit of the altered copy names the entry", expected=True, actual=found.named)
    whole = scene.dispatcher.audit.verify()
    scene.account.check("the ledger itself is whole", [], list(whole.findings))


def write_audit(scene: Scene) -> None:
    """Write the audit beside the inbox: as text, as CSV, as JSON, and as a paper."""
    audit = scene.account.audit
    if audit is None:
        return
    if audit.paper is not None:
        scene.places.audit("pdf").write_bytes(audit.paper)
    scene.places.audit("txt").write_text(audit.text + "\n", encoding="utf-8")
    scene.places.audit("csv").write_text(audit.csv, encoding="utf-8", newline="")
    scene.places.audit("json").write_text(json.dumps(audit.report, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _paper(scene: Scene, report: YearAudit) -> bytes | None:
    """Return the audit as a paper, in English as the story is told, where PDFs can be made."""
    dispatcher = scene.dispatcher
    try:
        return to_pdf(report, dispatcher.studio, dispatcher.store.clock(), dispatcher.policy.zone, Language.EN)
    except RenderingError:
        return None


def _check(scene: Scene, report: YearAudit) -> None:
    check = scene.account.check
    check("the year is in order", [], list(report.findings))
    check("campaigns spent in the year", len(scene.account.received), report.slots.spent)
    audited = {each.name: each for each in report.campaigns}
    for received in scene.account.received:
        figures = audited[received.name].channels if received.name in audited else {}
        counted = [figures[name].accepted + figures[name].unknown for name in _CHANNELS if name in figures]
        check(f"{received.name}: the audit counts what arrived", [received.mails, received.sms], counted)
    arrived = sum(each.mails + each.sms for each in scene.account.received)
    check("every message relied on a yes that stood", arrived, report.messages.agreed)
    check("the most messages that any one client got", len(scene.account.received), report.messages.most_per_client)
