"""Admin pages of projections, dead letters and requests: documents of MongoDB, changed by asking the workers.

Django finds this package where the admin is mounted (`acme.urls`), so a query host never imports it.
"""

from projections.admin import dead_letters, projections, requests

__all__ = ["dead_letters", "projections", "requests"]
