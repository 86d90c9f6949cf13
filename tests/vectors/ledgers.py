"""Cases of kind `ledger`: transfers in one phase or two, on `two_phase.py`."""

from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.market import Core
from tests.vectors.two_phase import Sums, Transfer, TwoPhase, Verdict

TRANSFER = frozenset(
    {"op", "id", "debit", "credit", "amount", "pending", "timeout", "balancing", "expect"}
)
SUMS = frozenset({"debits_posted", "debits_pending", "credits_posted", "credits_pending"})
LIMITED = "debits_must_not_exceed_credits"


def run(case: Json, core: Core) -> None:
    """Run a case; debits equal credits after every step."""
    known("setup", case["setup"], frozenset({"accounts"}))
    ledger = TwoPhase()
    for name, account in case["setup"]["accounts"].items():
        known("account", account, frozenset({"flag"}))
        if account.get("flag") not in (None, LIMITED):
            raise Skipped(f"flag {account['flag']} not known here")
        ledger.accounts[name] = Sums(limited="flag" in account)
    for step in case["steps"]:
        _step(ledger, step)
        _balanced(ledger)
    known("expect", case["expect"], frozenset({"balances"}))
    _check(ledger, case["expect"]["balances"])


def _step(ledger: TwoPhase, step: Json) -> None:
    match step["op"]:
        case "transfer":
            known("step", step, TRANSFER)
            verdict, amount = ledger.transfer(_asked(step))
            if isinstance(step["expect"], dict):
                same("amount", step["expect"]["ok"], amount)
                same("result", Verdict.OK.value, verdict.value)
            else:
                same("result", step["expect"], verdict.value)
        case "post":
            same("post", step["expect"], ledger.post(step["pending"], step["amount"]).value)
        case "void":
            same("void", step["expect"], ledger.void(step["pending"]).value)
        case "linked":
            verdicts = ledger.linked([_asked(one) for one in step["transfers"]])
            for one, verdict in zip(step["transfers"], verdicts, strict=True):
                same("result", one["expect"], verdict.value)
            all_ok = set(verdicts) == {Verdict.OK}
            same("linked", step["expect"], "ok" if all_ok else "all_failed")
        case "time":
            ledger.pass_time(step["t"])
        case "check":
            _check(ledger, step["expect"])
        case other:
            raise Skipped(f"step {other} not known here")


def _asked(step: Json) -> Transfer:
    return Transfer(
        transfer_id=step["id"], debit=step["debit"], credit=step["credit"], amount=step["amount"],
        is_pending=step.get("pending", False), timeout=step.get("timeout", 0),
        balancing=step.get("balancing", False),
    )  # fmt: skip


def _check(ledger: TwoPhase, expected: Json) -> None:
    for name, sums in expected.items():
        known("balances", sums, SUMS)
        for field, amount in sums.items():
            same(f"{field} of {name}", amount, getattr(ledger.accounts[name], field))


def _balanced(ledger: TwoPhase) -> None:
    accounts = ledger.accounts.values()
    for phase in ("posted", "pending"):
        debits = sum(getattr(one, f"debits_{phase}") for one in accounts)
        if debits != sum(getattr(one, f"credits_{phase}") for one in accounts):
            raise Failed(f"{phase} debits are not {phase} credits")
