#!/usr/bin/env python
"""Entry point of every command; `manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Exit codes: 2 for an environment variable that cannot be used, 3 when no engine is configured."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
    try:
        from acme.env import EngineNotConfigured
    except ValueError as error:  # acme.env.EnvironmentInvalid: the module could not be imported
        sys.exit(_explain(error, code=2))
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except EngineNotConfigured as error:
        sys.exit(_explain(error, code=3))


def _explain(error: Exception, *, code: int) -> int:
    sys.stderr.write(f"{error}\n")
    return code


if __name__ == "__main__":
    main()
