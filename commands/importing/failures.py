"""What can go wrong with the machine and not with the data, as one clear line and an exit code."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError, ProgrammingError

from acme.env import EngineNotConfigured, env
from acme.errors import Busy
from commands.importing.source import FileProblem


@contextmanager
def clear_failures() -> Iterator[None]:
    """Around the whole of a `manage.py` command that writes. Raises CommandError: 2 usage, 3 no engine, 1 stopped."""
    try:
        env.require("database_url")
        yield
    except FileProblem as error:
        raise CommandError(str(error), returncode=2) from error
    except EngineNotConfigured as error:
        raise CommandError(str(error), returncode=3) from error
    except ProgrammingError as error:
        raise CommandError(f"the database is not set up (manage.py migrate): {_line(error)}", returncode=3) from error
    except (OperationalError, Busy) as error:
        said = f"PostgreSQL cannot be reached: {_line(error)}; run this again to go on"
        raise CommandError(said, returncode=3) from error
    except DatabaseError as error:
        raise CommandError(f"PostgreSQL refused: {_line(error)}", returncode=3) from error
    except (OSError, sqlite3.Error) as error:
        raise CommandError(f"a file cannot be written: {error}", returncode=2) from error
    except KeyboardInterrupt as error:
        raise CommandError("stopped; run this again to go on", returncode=1) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
