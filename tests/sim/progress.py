"""How far a long simulation is: commands so far, the pace, and what is left."""

from dataclasses import dataclass


@dataclass
class Progress:
    """Counts runs and commands since the start."""

    total: int | None = None  # commands to reach, if that was asked for
    commands: int = 0
    runs: int = 0

    def add(self, commands: int) -> None:
        """Count one run that agreed."""
        self.runs += 1
        self.commands += commands

    @property
    def is_done(self) -> bool:
        """Say whether the total is reached."""
        return self.total is not None and self.commands >= self.total

    def next_run(self, commands: int) -> int:
        """Return how many commands the next run has: the last one only what is left."""
        return commands if self.total is None else min(commands, self.total - self.commands)

    def line(self, seconds: float, next_seed: int) -> str:
        """Return the progress as a line; `next_seed` is where a stopped soak goes on."""
        pace = self.commands / max(seconds, 1e-9)
        said = f"{self.commands:,} commands"
        if self.total is not None:
            said += f" of {self.total:,}"
        said += f" in {self.runs:,} runs, {pace:,.0f}/s"
        if self.total is not None and not self.is_done:
            said += f", {clock((self.total - self.commands) / pace)} left"
        return f"{said}; next seed {next_seed}"


def clock(seconds: float) -> str:
    """Return a length of time in hours and minutes."""
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"
