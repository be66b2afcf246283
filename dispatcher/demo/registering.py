"""The register: two exports of the booking system, as messy as they come, and what must never enter."""

import textwrap
from collections import Counter
from datetime import datetime

from dispatcher.demo.account import Imported
from dispatcher.demo.clock import ZONE
from dispatcher.demo.export import BROKEN, DUPLICATES, NOTES, TREATMENTS
from dispatcher.demo.people import GROUPS, Role
from dispatcher.demo.sample import FEBRUARY_FILE, MARCH_FILE
from dispatcher.demo.scene import Scene
from dispatcher.flow.doubts import Guidance
from dispatcher.flow.enrol import EnrolReport

_SHOWN = 4
_WIDTH = 96
_DELIMITERS = {";": "semicolons", ",": "commas", "\t": "tabs"}


def take_in_february(scene: Scene) -> None:
    """Import the first export, then the same file once more; nothing may change the second time."""
    scene.chapter("1. The register comes in")
    first = _take_in(scene, FEBRUARY_FILE, scene.sample.february)
    counts, people = first.counts, len(scene.sample.people)
    scene.say(
        f"  {counts['read']} rows, {first.encoding}, make {counts['created']} clients. {counts['unchanged']} rows only "
        f"repeat somebody;",
        f"  {counts['rejected']} are rejected, each with its reason:",
        *(f"    {textwrap.shorten(reason, _WIDTH, placeholder=' …')}" for reason in first.rejected[:_SHOWN]),
        f"    ... and {len(first.rejected) - _SHOWN} more",
        f"  Left out unread: {', '.join(first.dropped)}. What clients are treated for is none of its business.",
    )
    again = _take_in(scene, FEBRUARY_FILE, scene.sample.february)
    scene.say("  The same file once more changes nothing.")
    account = scene.account
    account.check("the register holds the clients of the export", people, counts["created"])
    account.check("rows that repeat a client change nothing", DUPLICATES, counts["unchanged"])
    account.check("each broken row is rejected, and no other", BROKEN, counts["rejected"])
    account.check("the same file again changes nothing", 0, again.counts["created"] + again.counts["updated"])
    account.check("no treatment and no note is in any file of the program", [], _leaked(scene))


def take_in_march(scene: Scene) -> None:
    """Import the second export: better letters, new answers, and a yes for each of those who have left."""
    scene.clock.reach(datetime(2026, 3, 2, 9, tzinfo=ZONE))
    scene.chapter("4. The register comes in again")
    found = _take_in(scene, MARCH_FILE, scene.sample.march)
    leaver = scene.sample.played(Role.LINK)
    new_yeses = sum(group.size for group in GROUPS if group.by_march and group.then in {"email", "sms"})
    scene.say(
        f"  This time in {found.encoding}, so that {leaver.last_name} is spelt as she spells it.",
        f"  {found.counts['updated']} clients changed: {new_yeses} said yes in February, some took their yes back,",
        "  two have new numbers, which their yes was not given for.",
        "  The booking system knows nothing of the five who left: it still says yes for each of them.",
    )
    scene.account.check("the March export brings nobody new", 0, found.counts["created"])
    scene.account.check("nothing of the March export is rejected", 0, found.counts["rejected"])
    scene.account.check("still no treatment and no note anywhere", [], _leaked(scene))


def _take_in(scene: Scene, name: str, content: bytes) -> Imported:
    path = scene.places.workspace / "exports" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with scene.teller.progress("rows") as tell:
        report = scene.dispatcher.enrol.run(path, scene.owner, guidance=Guidance(is_whole=True), progress=tell)
    found = _summed_up(report)
    scene.account.imports.append(found)
    return found


def _summed_up(report: EnrolReport) -> Imported:
    rejected = tuple(
        f"row {each.row}{f', {each.column}' if each.column else ''}: {each.reason}"
        for each in sorted(report.rejected, key=lambda each: each.row)
    )
    encoding = f"{report.encoding} with {_DELIMITERS.get(report.delimiter, report.delimiter)}"
    return Imported(report.file, encoding, Counter(report.counts), report.dropped, rejected, len(report.remarks))


def _leaked(scene: Scene) -> list[str]:
    """Return every treatment and note that is found, byte by byte, in the database, its log or the journal."""
    files = [path.read_bytes() for path in scene.places.workspace.glob("dispatcher.*") if path.suffix != ".toml"]
    return [text for text in (*NOTES, *TREATMENTS) if any(text.encode() in content for content in files)]
