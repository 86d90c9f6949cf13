"""Where a key and its secret are found: arguments, environment, or a private file.

A credentials file is JSON, mode 0600: {"url": ..., "key": ..., "secret": ...}. The node
writes one for the operator into its data folder; profiles have the same form.
"""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from wellhead.errors import WellheadError
from wellhead.signing import Credentials

URL_DEFAULT = "http://127.0.0.1:8080"
DATA_DIR_DEFAULT = ".wellhead"


class CredentialsError(WellheadError):
    """A credentials file that cannot be used: missing, readable by others, or not ours."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one credentials file says."""

    path: Path
    credentials: Credentials
    url: str | None = None
    account_id: str | None = None


def config_dir() -> Path:
    """Return the folder of the user's own profiles."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "wellhead"


def data_dir(given: str | Path | None = None) -> Path:
    """Return the data folder: as given, else WELLHEAD_DATA_DIR, else ./.wellhead."""
    return Path(given or os.environ.get("WELLHEAD_DATA_DIR") or DATA_DIR_DEFAULT)


def read_profile(path: Path) -> Profile:
    """Return what the file says.

    Errors:
        CredentialsError: not there, open to others, or not a credentials file.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CredentialsError(f"cannot read {path}: {error.strerror}") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CredentialsError(f"{path} can be read by others: chmod 600 {path}")
    try:
        found = json.loads(text)
        credentials = Credentials(str(found["key"]), str(found["secret"]))
    except (ValueError, KeyError, TypeError) as error:
        raise CredentialsError(f'{path} is not {{"key": ..., "secret": ...}}') from error
    return Profile(path, credentials, found.get("url"), found.get("account_id"))


def write_profile(
    path: Path, credentials: Credentials, *, url: str | None = None, account_id: str | None = None
) -> Path:
    """Write a credentials file that only its owner can read, never over another."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    body = {
        "url": url,
        "account_id": account_id,
        "key": credentials.key,
        "secret": credentials.secret,
    }
    text = json.dumps({k: v for k, v in body.items() if v is not None}, indent=2) + "\n"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise CredentialsError(f"{path} exists already") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def profile_folders(data: str | Path | None = None) -> tuple[Path, ...]:
    """Return the folders where a profile's name is looked up, nearest first."""
    return data_dir(data) / "profiles", config_dir()


def profile_names(data: str | Path | None = None) -> list[str]:
    """Return the names of all profiles that can be found."""
    names = {p.stem for folder in profile_folders(data) for p in folder.glob("*.json")}
    return sorted(names)


def find_profile(name: str, data: str | Path | None = None) -> Profile:
    """Return the profile of this name, or the file if `name` is a path.

    Errors:
        CredentialsError: nothing of that name, or the file cannot be used.
    """
    if "/" in name or name.endswith(".json"):
        return read_profile(Path(name))
    for folder in profile_folders(data):
        if (path := folder / f"{name}.json").exists():
            return read_profile(path)
    known = ", ".join(profile_names(data)) or "none"
    raise CredentialsError(f"no profile {name!r} in {_listed(data)} (known: {known})")


def _listed(data: str | Path | None) -> str:
    return " or ".join(map(str, profile_folders(data)))


def default_url() -> str:
    """Return where a node on this machine listens: WELLHEAD_PORT, else 8080."""
    port = os.environ.get("WELLHEAD_PORT", "")
    if not port.isdecimal() or port == "0":  # 0 is any free port: only the node knows which
        return URL_DEFAULT
    return f"http://127.0.0.1:{port}"


def from_environment() -> Credentials | None:
    """Return WELLHEAD_KEY and WELLHEAD_SECRET, or None when neither is set.

    Errors:
        CredentialsError: only one of the two is set.
    """
    key, secret = os.environ.get("WELLHEAD_KEY"), os.environ.get("WELLHEAD_SECRET")
    if not key and not secret:
        return None
    if not key or not secret:
        raise CredentialsError("WELLHEAD_KEY and WELLHEAD_SECRET belong together: one is missing")
    return Credentials(key, secret)
