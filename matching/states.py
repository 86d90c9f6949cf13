"""Small enumerations of the wire: states, phases, kinds; `codes.py` hands them on.

A number is never reused and never changes its meaning: it is in the journal.
"""

from enum import IntEnum


class CallPhase(IntEnum):
    """Why a contract is in a call (CALL.phase); none when it is not in one."""

    NONE = 0
    OPENING = 1
    CLOSING = 2
    VOLATILITY = 3  # a guard called it
    MANUAL = 4  # an operator did, or a plain SET_STATE


class TradingState(IntEnum):
    """State of a contract. Cancels are allowed in every state."""

    PRE_OPEN = 0  # no new orders yet
    AUCTION = 1  # a call is running: IOC and FOK have no meaning
    CONTINUOUS = 2
    HALT = 3
    CLOSE_ONLY = 4  # only orders that reduce a position
    EXPIRED = 5


class AccountState(IntEnum):
    """State of an account. Cancels are allowed in every state."""

    ACTIVE = 0
    REDUCE_ONLY = 1  # only orders that reduce a position
    FROZEN = 2  # no orders, no withdrawals


class MoveReason(IntEnum):
    """Why the clearing house moves a position, or money (COMMAND.state of a TRANSFER_*)."""

    PORTING = 0  # a client leaves a member
    GIVE_UP = 1  # a trade goes to the member that clears it
    TAKE_OVER = 2  # the house takes what liquidation left
    DELEVERAGE = 3  # closed against an account on the other side
    AUCTION = 4  # won in the auction of a defaulter's positions
    EFD = 5  # exchanged for delivery: the receipt goes the other way


class LiquidationStep(IntEnum):
    """What a SET_ACCOUNT says of a liquidation (COMMAND.order_id); the core does not ask."""

    NONE = 0
    BEGINS = 1
    ENDS = 2


class DealKind(IntEnum):
    """What two members may agree on away from the book (COMMAND.state of a PROPOSE)."""

    BLOCK = 0
    EFP = 1  # exchange for physical: the futures leg of a trade in compute itself
    QUOTES = 2  # a request for quotes; in the core alone, no proposal may say so


class Peg(IntEnum):
    """What a pegged order follows: the best price of orders that are not pegged."""

    BID = 1
    ASK = 2
    MID = 3


class Cycle(IntEnum):
    """Why a COLLECT pays variation margin between two daily settlements.

    A correction says another settlement price as well: see `wire_life.py`.
    """

    MIDDAY = 1
    MARK_MOVED = 2  # by more than half of the scan range
    MEMBER_LOST = 3  # more than half of its initial margin
    CORRECTION = 4  # the last settlement price was wrong


class CountMode(IntEnum):
    """How SET_COLLATERAL is meant."""

    VALUE = 0  # what it is worth now: always taken
    RELEASE = 1  # somebody wants some back: only if margin allows


class Charge(IntEnum):
    """What a CHARGE is for."""

    TRADING_FEE = 1
    CLEARING_FEE = 2
    DELIVERY_FEE = 3
    REBATE = 4


class AssetMove(IntEnum):
    """What MOVE_ASSET does."""

    DEPOSIT = 1  # the custodian has them
    RESERVE = 2  # a withdrawal: they count no more and wait to be paid out
    PAID = 3  # the custodian has sent what was reserved
    RETURN = 4  # what was reserved stays after all


class PriceSource(IntEnum):
    """Who said a price."""

    OPERATOR = 1
    FEED = 2
    PAR = 3


class Profile(IntEnum):
    """Of what an account is a member, where its business may lose with its positions."""

    NONE = 0
    NEOCLOUD = 1  # it sells compute
    MINER = 2  # its bitcoin falls when compute does
