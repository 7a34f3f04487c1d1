"""State of customers, and the users who log in with their e-mail address."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from acme.identity import Actor
from commands.aggregate import Aggregate, new_id


class UserManager(BaseUserManager["User"]):
    """Creates users; the shop itself registers customers through the handler, which also records the event."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        """E-mail addresses are kept in lower case, and people log in with them in any."""
        return self.get(email=(username or "").lower())

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Credentials and roles. They are in no event: the log never holds a password hash."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = UserManager()

    USERNAME_FIELD = "email"

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email")]

    def __str__(self) -> str:
        return self.email


class Customer(Aggregate):
    """Somebody who buys. Imported customers have a number and no login."""

    aggregate_type = "customer"

    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.PROTECT, related_name="customer")
    number = models.CharField(max_length=40, null=True, blank=True, unique=True)  # null: has none
    email = models.EmailField(max_length=254, null=True, blank=True)  # null: not known
    name = models.CharField(max_length=200, null=True, blank=True)  # null: not known
    country = models.CharField(max_length=60, null=True, blank=True)  # null: not known
    is_staff = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.email or self.number or str(self.id)

    def is_owned_by(self, actor: Actor) -> bool:
        return actor.owns(self.id, None)
