#!/usr/bin/env python
"""Entry point of every command; `manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Exit codes: 2 for an environment variable that cannot be used, 3 when an engine is not there."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
    try:
        from acme.env import EngineNotConfigured, env
    except ValueError as error:  # acme.env.EnvironmentInvalid: the module could not be imported
        sys.exit(_explain(error, code=2))
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except EngineNotConfigured as error:
        sys.exit(_explain(error, code=3))
    except ImproperlyConfigured:  # by Django's dummy database, which refuses every use
        if env.database_url:
            raise
        sys.exit(_explain(env.missing("database_url"), code=3))
    except OperationalError as error:
        sys.exit(_explain(f"PostgreSQL cannot be reached: {error}", code=3))


def _explain(error: object, *, code: int) -> int:
    sys.stderr.write(f"{error}\n")
    return code


if __name__ == "__main__":
    main()
