"""The data folder: who works on it, and where its API was."""

import os

import pytest

from exchange.io.errors import AlreadyRunning
from exchange.io.folder import DataFolder, Instance, running_instance
from wellhead.cli.options import Remote, running_url, said_url

URL = "http://127.0.0.1:8140"


def test_a_folder_has_one_instance_and_remembers_its_address(tmp_path, monkeypatch):
    monkeypatch.delenv("WELLHEAD_PORT", raising=False)
    with DataFolder(tmp_path) as folder:
        folder.describe(Instance(pid=os.getpid(), api_url=URL))
        assert running_url(tmp_path) == URL
        found = running_instance(tmp_path)
        assert found is not None and (found.pid, found.api_url) == (os.getpid(), URL)
        with pytest.raises(AlreadyRunning, match=str(os.getpid())):
            DataFolder(tmp_path).lock()
    assert running_instance(tmp_path) is None and running_url(tmp_path) is None
    assert said_url(tmp_path, "last_api_url") == URL
    assert Remote(data=tmp_path).client().url == URL
    monkeypatch.setenv("WELLHEAD_PORT", "8999")
    assert Remote(data=tmp_path).client().url == "http://127.0.0.1:8999"


def test_a_folder_whose_node_never_answered_leaves_nothing(tmp_path):
    with DataFolder(tmp_path):
        pass
    assert (tmp_path / "instance.lock").read_text() == ""
