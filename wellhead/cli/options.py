"""Options every command has, and the client they lead to."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import Parameter

from wellhead.calls import Call, Json
from wellhead.cli import out
from wellhead.cli.exits import CliError, Exit
from wellhead.client import Client
from wellhead.credentials import (
    Profile,
    data_dir,
    default_url,
    find_profile,
    from_environment,
    profile_folders,
    profile_names,
    read_profile,
)
from wellhead.http_sync import TIMEOUT_S
from wellhead.signing import Credentials
from wellhead.sync_stream import TradingStream

T = TypeVar("T")


@Parameter(name="*", group="Everywhere")
@dataclass(frozen=True, kw_only=True)
class Local:
    """Options of commands that work on this machine only."""

    json: bool = False
    """Print one JSON document instead of tables."""

    data: Annotated[Path | None, Parameter(env_var="WELLHEAD_DATA_DIR")] = None
    """Data folder, where the node keeps its files; ./.wellhead when not given."""


@Parameter(name="*", group="Everywhere")
@dataclass(frozen=True, kw_only=True)
class Remote(Local):
    """Options of commands that talk to an exchange."""

    url: Annotated[str | None, Parameter(env_var="WELLHEAD_URL")] = None
    """Where the exchange is; that of the profile or of the data folder when not given."""

    profile: str | None = None
    """Name or file of a profile that holds a key; else WELLHEAD_KEY and WELLHEAD_SECRET."""

    def client(self) -> Client:
        """Return a client for public data."""
        return self._client(self._chosen_profile(), None)

    def trader(self, timeout_s: float = TIMEOUT_S) -> Client:
        """Return a client that signs with the user's key.

        Errors:
            CliError: there is no key to sign with.
        """
        profile = self._chosen_profile()
        found = profile.credentials if profile else from_environment()
        if found is None:
            raise CliError(Exit.KEY, "no_key", self._how_to_sign())
        return self._client(profile, found, timeout_s)

    def operator(self, timeout_s: float = TIMEOUT_S) -> Client:
        """Return a client that signs with the operator's key: that of the data folder.

        Errors:
            CliError: there is no such key.
        """
        path = data_dir(self.data) / "admin.json"
        if self.profile:
            profile = find_profile(self.profile, self.data)
        elif path.exists():
            profile = read_profile(path)
        elif found := from_environment():
            return self._client(None, found, timeout_s)
        else:
            message = (
                f"no operator's key at {path}: run this where the node's data folder is, name the"
                " folder with --data, or give a key of scope admin with --profile"
            )
            raise CliError(Exit.KEY, "no_key", message)
        return self._client(profile, profile.credentials, timeout_s)

    def _chosen_profile(self) -> Profile | None:
        name = self.profile
        if name is None and not os.environ.get("WELLHEAD_KEY"):
            name = os.environ.get("WELLHEAD_PROFILE")
        return find_profile(name, self.data) if name else None

    def _client(
        self, profile: Profile | None, found: Credentials | None, timeout_s: float = TIMEOUT_S
    ) -> Client:
        url = self.url or (profile and profile.url) or running_url(self.data) or self._last_url()
        if not url.startswith(("http://", "https://")):
            raise CliError(Exit.USAGE, "usage", f"not an http:// or https:// address: {url}")
        key, secret = (found.key, found.secret) if found else (None, None)
        return Client(url, key, secret, timeout_s=timeout_s)

    def _last_url(self) -> str:
        """Return where a node is to be expected: by WELLHEAD_PORT, else where the last one was."""
        last = None if os.environ.get("WELLHEAD_PORT") else said_url(self.data, "last_api_url")
        return last or default_url()

    def _how_to_sign(self) -> str:
        names = profile_names(self.data)
        known = f"--profile NAME (known: {', '.join(names)})"
        if not names:
            folders = " or ".join(map(str, profile_folders(self.data)))
            known = f"--profile FILE (no profile in {folders})"
        return f"this needs a key: {known}, or WELLHEAD_KEY and WELLHEAD_SECRET"


LOCAL = Local()
REMOTE = Remote()


def running_url(folder: Path | None) -> str | None:
    """Return the address of the node that has the data folder, if one has said so."""
    return said_url(folder, "api_url")


def said_url(folder: Path | None, name: str) -> str | None:
    """Return an address that a node wrote into its data folder, None without one."""
    try:
        found = json.loads((data_dir(folder) / "instance.lock").read_text())
    except (OSError, ValueError):
        return None
    text = found.get(name) if isinstance(found, dict) else None
    return text if isinstance(text, str) else None


def ask(client: Client, call: Call[T]) -> tuple[T, Json]:
    """Run a call; return its answer typed and as it came."""
    answer = client.raw(call)
    return call.parse(answer), answer


def following(client: Client) -> TradingStream:
    """Return a stream for a command that follows something: it says when it cannot."""
    return client.stream(on_connection=_say_connection)


def _say_connection(is_back: bool) -> None:
    lost = "not connected: what is shown is of before; trying again"
    with suppress(OSError):  # nobody reads what we say
        out.note(f"{out.clock()}  {'connected again' if is_back else lost}")
