"""A shop on django-cqrs 3.1: a master model whose saves go over RabbitMQ to a replica in another table."""
