"""What the admin shows of projections, named as models so that Django's own permissions exist for it.

None has a table: all of it lies in MongoDB, and the pages of `projections.admin` read it there. The permissions are
given to users and groups like all others; whoever may change something must be allowed to look at it as well.
"""

from __future__ import annotations

from django.db import models


class Projection(models.Model):
    """A declared projection, by its name."""

    name = models.CharField(primary_key=True, max_length=100)

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = [("control_projection", "Can pause and resume projections")]

    def __str__(self) -> str:
        return self.name


class DeadLetter(models.Model):
    """An event that a projection could not apply; see `queries.documents.dead_letters`."""

    id = models.TextField(primary_key=True)

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = [
            ("retry_deadletter", "Can retry dead letters and resync aggregates"),
            ("discard_deadletter", "Can discard dead letters"),
        ]

    def __str__(self) -> str:
        return self.id


class OperatorRequest(models.Model):
    """What somebody asked of the workers. Whoever may see dead letters sees requests; ``words`` say what it is."""

    id = models.TextField(primary_key=True)
    words = models.TextField()

    class Meta:
        managed = False
        default_permissions = ()
        verbose_name = "request"

    def __str__(self) -> str:
        return self.words or self.id
