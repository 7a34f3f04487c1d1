"""The files under ACME_HOME: modes, secrets made once, one owner at a time."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from acme.devstack.errors import CannotStart
from acme.devstack.home import Home, read_json, write_json
from acme.env import read


def test_secrets_are_private_and_made_once(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    first = home.secrets()
    assert stat.S_IMODE(home.secrets_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.run.stat().st_mode) == 0o700
    home.prepare()
    assert home.secrets() == first


def test_the_environment_reads_what_was_written(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    write_json(home.engines_file, {"MONGODB_URL": "mongodb://127.0.0.1:1/acme"})
    environment = read({"ACME_HOME": str(home.root)})
    assert environment.mongodb_url == "mongodb://127.0.0.1:1/acme"
    assert environment.secret_key == home.secrets()["ACME_SECRET_KEY"]
    assert "BEGIN PRIVATE KEY" in (environment.jwt_private_key or "")
    assert "BEGIN PUBLIC KEY" in (environment.jwt_public_key or "")


def test_only_one_may_hold_a_home(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    with (
        home.locked(),
        pytest.raises(CannotStart, match=r"already runs on .* \(pid \d+\): stop it first"),
        home.locked(),
    ):
        pass
    with home.locked():
        pass


def test_the_lock_goes_with_its_owner(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    code = f"""
import time
from pathlib import Path
from acme.devstack.home import Home
with Home(Path({str(home.root)!r})).locked():
    print("held", flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"held\n"
        with pytest.raises(CannotStart), home.locked():
            pass
        owner.kill()
    with home.locked():
        pass


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text("{")
    with pytest.raises(CannotStart, match=r"secrets\.json is not JSON"):
        read_json(file)


def test_a_home_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotStart, match="Set ACME_HOME to a directory you may write to"):
        Home(tmp_path / "file" / "home").prepare()
