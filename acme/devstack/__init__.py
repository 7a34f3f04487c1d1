"""The engines and processes of a development machine: found, started, watched, stopped.

`manage.py up` and the tests use this package; a production image needs none of it. Nothing here imports
Django, a model or another room of ACME: processes are reached through their command line, their port
and the files under ``ACME_HOME``.
"""
