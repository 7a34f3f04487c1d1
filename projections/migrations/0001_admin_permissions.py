"""No table is made: these models are there for their permissions only (`projections.models`)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[("id", models.TextField(primary_key=True, serialize=False))],
            options={
                "managed": False,
                "default_permissions": ("view",),
                "permissions": [
                    ("retry_deadletter", "Can retry dead letters and resync aggregates"),
                    ("discard_deadletter", "Can discard dead letters"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OperatorRequest",
            fields=[("id", models.TextField(primary_key=True, serialize=False)), ("words", models.TextField())],
            options={"managed": False, "default_permissions": (), "verbose_name": "request"},
        ),
        migrations.CreateModel(
            name="Projection",
            fields=[("name", models.CharField(max_length=100, primary_key=True, serialize=False))],
            options={
                "managed": False,
                "default_permissions": ("view",),
                "permissions": [("control_projection", "Can pause and resume projections")],
            },
        ),
    ]
