"""The page of a stress run: what happened, what was checked, and plots."""

from pathlib import Path
from typing import Final

from exchange.rules.money import BPS, USD_MICROS
from exchange.rules.waterfall import LAYER_AT
from exchange.services.stress.outcome import Outcome
from exchange.services.stress.plots import Line, chart

NAME: Final = "october-2025"


def write(outcome: Outcome, folder: Path) -> list[Path]:
    """Write the page and its plots; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {f"{NAME}-{name}.svg": svg for name, svg in plots(outcome).items()}
    texts[f"{NAME}.md"] = page(outcome)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


def plots(out: Outcome) -> dict[str, str]:
    """Return the charts by name."""
    percent = BPS // 100
    fund = [value / USD_MICROS for value in out.fund_usd_micros]
    return {
        "prices": chart(
            "Bitcoin and H100 compute", "% of the start", out.seconds,
            [Line("compute", [bps / percent for bps in out.compute_bps]),
             Line("bitcoin", [bps / percent for bps in out.btc_bps])],
        ),
        "accounts": chart(
            "Accounts in liquidation", "accounts", out.seconds,
            [Line("in liquidation", out.in_liquidation),
             Line("with less than nothing", out.insolvent)],
        ),
        "fund": chart("Insurance fund", "USD", out.seconds, [Line("equity", fund)]),
    }  # fmt: skip


def page(out: Outcome) -> str:
    """Return the page as Markdown."""
    profile = out.profile
    checks = "\n".join(f"| {what} | {'yes' if held else '**NO**'} |" for what, held in out.checks)
    figures = {
        "accounts": f"{out.accounts:,}",
        "commands": f"{out.commands:,}",
        "liquidations begun": f"{out.liquidations:,}",
        "lots closed in the book by slices": f"{out.slices_lots:,}",
        "auctions": f"{out.auctions:,}",
        "lots that members won in auctions": f"{out.auctioned_lots:,}",
        "what they cost against the marks": f"{out.auction_cost_usd_micros // USD_MICROS:,} USD",
        "times that a member bid too little": f"{out.juniors:,}",
        "lots the house took over": f"{out.taken_over_lots:,}",
        **{
            f"paid by layer {place}, {LAYER_AT[place].story}": f"{paid // USD_MICROS:,} USD"
            for place, paid in out.layers_usd_micros.items()
        },
        "lots deleveraged": f"{out.deleveraged_lots:,}",
        "accounts deleveraged": f"{out.deleveraged_accounts:,}",
        "proofs of deleveraging": f"{out.proofs:,}",
        "proofs of who bore a loss": f"{out.loss_proofs:,}",
        "most accounts in liquidation at once": f"{max(out.in_liquidation):,}",
        "most with less than nothing, second by second": f"{max(out.insolvent):,}",
        "hash of the final state": f"`{out.state_hash}`",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in figures.items())
    return f"""# October 2025, played again

Two real steps in one night: bitcoin -15 %, as on 10 and 11 October 2025, and H100 compute -44 %
overnight, as AWS did on 5 June 2025. {profile.traders:,} leveraged accounts, most of them long;
three in ten with collateral lent against bitcoin at a haircut of 45 %; {profile.makers} makers
whose books grow thin; {profile.flat} accounts that hold cash only; an insurance fund of
{profile.fund_usd:,} USD, a default fund of {profile.members} members with
{profile.share_usd:,} USD each, and {profile.second_usd:,} USD of the house behind it.
Everything runs on the real core, mirror and clearing, with the real
rules of liquidation (DEF-1 to DEF-10 of `clearing.md`). Accounts, sizes and quotes are drawn; seed
{profile.seed} gives the same bytes again. The funds are made small, so that the last layers are
used: once the house has nothing left it takes no position over, and what is left of a bankrupt
account is torn up against the other side.

![Prices]({NAME}-prices.svg)

![Accounts]({NAME}-accounts.svg)

![Insurance fund]({NAME}-fund.svg)

## What came of it

| | |
|---|---|
{table}

## What must hold, and did

| | |
|---|---|
{checks}

Made by `wellhead stress report`. Members answer an auction within five seconds, with bids that are
drawn. What it does not show: margin calls to members; traders here neither add money nor flee.
"""
