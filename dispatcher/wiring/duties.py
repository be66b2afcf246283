"""What the program does by itself beside campaigns, and how often."""

from datetime import timedelta
from functools import partial

from dispatcher.flow.alerts import Alerts
from dispatcher.flow.blocks import Blocks
from dispatcher.flow.closing import Closing
from dispatcher.flow.deletions import Deletions
from dispatcher.flow.destroying import Destroying
from dispatcher.flow.doors import Doors
from dispatcher.flow.duties import Duty, in_thread
from dispatcher.flow.giving_up import give_up
from dispatcher.flow.incoming import Incoming
from dispatcher.flow.looking import purge_looks
from dispatcher.flow.reconciling import Reconciling
from dispatcher.flow.retention import Retention
from dispatcher.flow.sealing import Sealing
from dispatcher.flow.services import Services
from dispatcher.flow.sign_up import SignUp
from dispatcher.flow.texts_in import TextsIn
from dispatcher.rules.actor import duty
from dispatcher.rules.retention import Periods
from dispatcher.storage.store import Store


def duties_of(
    store: Store, services: Services, sign_up: SignUp, deletions: Deletions, blocks: Blocks, retention: Retention
) -> tuple[Duty, ...]:
    """Return what the program does by itself beside campaigns."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    return (
        Duty("service messages", timedelta(seconds=1), services.once),
        Duty("sign-ups", hour, in_thread(sign_up.purge)),
        Duty("old service messages", day, in_thread(services.purge)),
        Duty("legal blocks", day, in_thread(partial(_let_go, blocks))),
        Duty("retention", day, in_thread(partial(retention.work, duty("retention")))),
        Duty("access log", day, in_thread(partial(purge_looks, store))),
        Duty("deletions", hour, deletions.work),
    )


def settling(store: Store, reconciling: Reconciling) -> tuple[Duty, ...]:
    """Return what finds out, or gives up, what became of messages whose reply was lost."""
    return (
        Duty("lost replies", timedelta(minutes=5), reconciling.work),
        Duty("what nobody can tell", timedelta(hours=1), in_thread(partial(give_up, store))),
    )


def reading(doors: Doors, incoming: Incoming, texts_in: TextsIn | None, periods: Periods) -> tuple[Duty, ...]:
    """Return what takes in every no that came by a letter box, and lets go of what people have read."""
    return (
        Duty("letter boxes", timedelta(minutes=1), doors.work),
        Duty("old letters", timedelta(hours=1), in_thread(partial(incoming.tidy, periods.client))),
        *((Duty("old texts", timedelta(hours=1), in_thread(texts_in.purge)),) if texts_in else ()),
    )


def sealed(sealing: Sealing, closing: Closing, destroying: Destroying) -> tuple[Duty, ...]:
    """Return what seals the ledger every day and after every campaign, closes a year, and lets go of it in the end."""
    return (
        Duty("seals", timedelta(minutes=10), in_thread(sealing.when_due)),
        Duty("closing the year", timedelta(hours=1), in_thread(closing.when_due)),
        Duty("years kept for their time", timedelta(days=1), in_thread(partial(destroying.work, duty("destruction")))),
    )


def telling(alerts: Alerts, periods: Periods) -> tuple[Duty, ...]:
    """Return what tells the owners what needs them."""
    return (
        Duty("alerts", timedelta(minutes=1), in_thread(alerts.of_campaigns)),
        Duty("overdue", timedelta(hours=1), in_thread(alerts.overdue)),
        Duty("old alerts", timedelta(days=1), in_thread(partial(alerts.purge, periods))),
    )


def _let_go(blocks: Blocks) -> str | None:
    ended = blocks.let_go(duty("legal_blocks"))
    return f"{ended} legal blocks have ended" if ended else None
