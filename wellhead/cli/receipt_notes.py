"""What a receipt's events note, for people: what is hashed is whole numbers, in micro-dollars."""

from decimal import Decimal

from wellhead.cli import out

PAYMENTS = {
    "bond": "bond",
    "price": "price",
    "share": "share of the price",
    "penalty-bond": "penalty, of the bond",
    "penalty-cash": "penalty, in cash",
    "release": "bond given back",
    "refund": "price given back",
    "claim": "of the default fund",
}
PAID = frozenset(
    ("bonded", "void", "sale_refused", "paid", "claimed", "claim_paid", "claim_refused")
)
PRICED = frozenset(("offered", "paying", "sold", "closed"))
HOURS = frozenset(("delivered", "redeemed"))
JUDGED = frozenset(("missed", "curtailed"))
MS_PER_HOUR = 3_600_000
S_PER_HOUR = 3_600


def note_text(kind: str, note: str) -> str:
    """Return a note with dollars and hours; one of another form as it is."""
    purpose, _, rest = note.partition(" ")
    if kind in PAID and purpose in PAYMENTS:
        amount = rest.rpartition(" ")[2]
        return f"{PAYMENTS[purpose]} {usd(int(amount))} USD" if amount.isdecimal() else note
    if kind == "claim_asked" and purpose.isascii() and purpose.isdecimal():
        return f"{usd(int(purpose))} USD: {rest}"
    parts = note.split(" ")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        return note
    numbers = [int(part) for part in parts]
    match len(numbers):
        case 1 if kind in PRICED:
            return f"{usd(numbers[0])} USD"
        case 1 if kind in HOURS:
            return f"{'from ' if kind == 'redeemed' else ''}{hour(numbers[0])}"
        case 6 if kind in JUDGED:
            return judged(*numbers)
    return note


def judged(at: int, gpu_s: int, due: int, bond: int, cash: int, claimed: int) -> str:
    """Return what an hour that was missed came to; amounts in micro-dollars."""
    missing = f"{Decimal(gpu_s) / S_PER_HOUR:.3f}".rstrip("0").rstrip(".")
    said = f"{hour(at)}: {missing} GPU-hours missing, {usd(due)} USD"
    paid = (("of the bond", bond), ("in cash", cash), ("claimed", claimed))
    return f"{said}: " + ", ".join(f"{usd(one)} USD {name}" for name, one in paid if one)


def usd(usd_micros: int) -> str:
    """Return dollars of micro-dollars: 1,234.50."""
    return out.usd(f"{usd_micros // 1_000_000}.{usd_micros % 1_000_000:06d}")


def hour(number: int) -> str:
    """Return an hour since 1970 as 2027-03-02 00:00."""
    return out.moment(number * MS_PER_HOUR)[:16]
