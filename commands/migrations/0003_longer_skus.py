"""SKUs of up to 100 characters: handles of imported catalogues are longer than 64."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('commands', '0002_append_only'),
    ]

    operations = [
        migrations.AlterField(
            model_name='cartline',
            name='sku',
            field=models.CharField(max_length=100),
        ),
        migrations.AlterField(
            model_name='orderline',
            name='sku',
            field=models.CharField(max_length=100),
        ),
        migrations.AlterField(
            model_name='stockitem',
            name='sku',
            field=models.CharField(max_length=100, unique=True),
        ),
        migrations.AlterField(
            model_name='variant',
            name='sku',
            field=models.CharField(max_length=100, unique=True),
        ),
    ]
