"""Tokens of accounts are kept as hashes. Those that Django REST framework kept as they are stay good, by their hash.

Its table `authtoken_token` is left for web processes of the version before; it can be dropped when none runs any more.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FORWARD = """
DO $$
BEGIN
    IF to_regclass('authtoken_token') IS NOT NULL THEN
        INSERT INTO agents_accounttoken (user_id, digest, made_at, used_at)
            SELECT user_id, encode(sha256(convert_to(key, 'UTF8')), 'hex'), created, statement_timestamp() FROM authtoken_token;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0021_finished")]
    operations = [
        migrations.CreateModel(
            name="AccountToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="made",
                    ),
                ),
                (
                    "used_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="last used",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
            ],
            options={"verbose_name": "token of an account", "verbose_name_plural": "tokens of accounts"},
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
