"""Shifts know how long they were online. Of shifts of before it is what was counted so far, all of their time (dispatch 0044 looks
closer, where the agents' events say more)."""

from django.db import migrations, models

FORWARD = """
UPDATE agents_shift SET
    online_seconds = greatest(extract(epoch FROM least(ended_at, lost_at, statement_timestamp()) - started_at), 0),
    online_since = CASE WHEN ended_at IS NULL AND lost_at IS NULL AND state = 'online' THEN statement_timestamp() END
WHERE NOT practice
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0019_calls_to_be_made")]
    operations = [
        migrations.AddField(
            model_name="shift",
            name="online_seconds",
            field=models.FloatField(
                db_default=0.0,
                default=0.0,
                editable=False,
                help_text="Up to “online since”.",
                verbose_name="seconds online",
            ),
        ),
        migrations.AddField(
            model_name="shift",
            name="online_since",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="online since"),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
