"""What each report that a real Postfix made is to us, by the name of its file."""

from dispatcher.rules.letter import LetterKind

EXPECTED = {
    "dead.failed": (LetterKind.BOUNCE, "5.1.1", "550", True),
    "full.failed": (LetterKind.BOUNCE, "5.2.2", "552", True),
    "policy.failed": (LetterKind.BOUNCE, "5.7.1", "550", True),
    "bare.failed": (LetterKind.BOUNCE, "5.1.1", "550", True),
    "nowhere.failed": (LetterKind.BOUNCE, "5.4.4", "", True),
    "busy.delayed": (LetterKind.AUTOMATIC, "", "", False),
    "busy.failed": (LetterKind.BOUNCE, "4.3.0", "451", True),
    "taken.relayed": (LetterKind.AUTOMATIC, "", "", False),
}
