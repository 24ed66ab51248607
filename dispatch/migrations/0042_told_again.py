"""Alerts that are told again are told to webhooks too; what waits for people is told again; acts are done once a key."""

from django.conf import settings
from django.db import migrations, models

# A repeat is named after the time before: a mail that is refused and tried again is no second one.
FORWARD = """
CREATE OR REPLACE FUNCTION dispatch_webhook_alert() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    step text := CASE WHEN NEW.closed_at IS NULL THEN 'opened' ELSE 'closed' END;
    name text := step;
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.closed_at IS NULL) = (NEW.closed_at IS NULL) THEN
        IF NEW.closed_at IS NOT NULL OR NEW.told_at IS NULL OR OLD.told_at IS NULL OR NEW.told_at <= OLD.told_at THEN
            RETURN NULL;
        END IF;
        step := 'repeated';
        name := 'repeated_' || floor(extract(epoch FROM OLD.told_at) * 1000)::bigint;
    END IF;
    INSERT INTO dispatch_webhookdelivery (endpoint_id, message_id, type, data)
    SELECT id, 'msg_alert_' || NEW.id || '_' || name, 'alert.' || step,
        jsonb_build_object('alert', NEW.id, 'kind', NEW.kind, 'subject', NEW.subject, 'opened_at', NEW.opened_at)
    FROM dispatch_webhookendpoint WHERE stopped_by = '' AND 'alert.' || step = ANY (events)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
DROP TRIGGER webhook_record ON dispatch_alert;
CREATE TRIGGER webhook_record AFTER INSERT OR UPDATE OF closed_at, told_at ON dispatch_alert
    FOR EACH ROW EXECUTE FUNCTION dispatch_webhook_alert();
-- What waits for people was told once: from now on it is told again, from when it was.
UPDATE dispatch_alert SET told_at = mailed_at WHERE closed_at IS NULL AND told_at IS NULL AND mailed_at IS NOT NULL;
"""
BACKWARD = """
DROP TRIGGER webhook_record ON dispatch_alert;
CREATE TRIGGER webhook_record AFTER INSERT OR UPDATE OF closed_at ON dispatch_alert
    FOR EACH ROW EXECUTE FUNCTION dispatch_webhook_alert();
"""
KEY_ONCE = (
    "CREATE UNIQUE INDEX lead_action_key_once ON dispatch_leadaction (by_id, key) WHERE key IS NOT NULL"
)
KINDS = [
    ("nobody_left", "nobody left"),
    ("skill_away", "nobody online for a skill"),
    ("target_risk", "target at risk"),
    ("silent", "process silent"),
    ("outbox", "mails pile up"),
    ("escalation", "escalation"),
    ("abuse", "ended as abuse"),
    ("inquiry", "question of an agent"),
    ("contest", "contest"),
    ("overdue", "contest overdue"),
    ("answer_late", "promised answer late"),
    ("mail_held", "mail held"),
    ("assistant_paused", "assistant paused"),
    ("webhook_stopped", "webhook stopped"),
]


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("dispatch", "0041_standings_by_topic_and_pool"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alertrule",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=20, unique=True, verbose_name="kind"),
        ),
        migrations.AlterField(
            model_name="alertrule",
            name="threshold",
            field=models.PositiveIntegerField(
                default=0,
                help_text="Nobody online for a skill: seconds that a ticket has waited. Target at risk: percent of the target that have passed. Process silent: seconds. Mails pile up: minutes that the oldest has waited. All others: not used.",
                verbose_name="threshold",
            ),
        ),
        migrations.AddField(
            model_name="leadaction",
            name="key",
            field=models.CharField(blank=True, editable=False, max_length=100, null=True),
        ),
        migrations.AddField(
            model_name="leadaction",
            name="digest",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=32),
        ),
        # By hand, as the linter knows not that the column is new: no row is in the index, and none can contradict it.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(KEY_ONCE, "DROP INDEX lead_action_key_once")],
            state_operations=[
                migrations.AddConstraint(
                    model_name="leadaction",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("key__isnull", False)),
                        fields=("by", "key"),
                        name="lead_action_key_once",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
