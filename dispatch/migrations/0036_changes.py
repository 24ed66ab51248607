"""What is changed in the configuration is written down by triggers, whoever changes it and by which way (ADR 38)."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# table → (columns, those that it is a part of). Columns: "" all, "a,b" only these, "-a,b" all but these: what moves by itself, what
# is personal, and what is kept elsewhere. A part of: "column=table of what it points to".
TRACKED = {
    "agents_pool": ("", ""),
    "agents_pool_admins": ("", "pool_id=agents_pool,user_id=agents_user"),
    "agents_skill": ("", ""),
    "agents_agent": ("status,languages,units", ""),
    "agents_agent_pools": ("", "agent_id=agents_agent,pool_id=agents_pool"),
    "agents_agentskill": ("", "agent_id=agents_agent"),
    "agents_learningunit": ("", ""),
    "agents_quiz": ("", ""),
    "agents_question": ("", "quiz_id=agents_quiz"),
    "agents_choice": ("", "question_id=agents_question"),
    "agents_user": ("is_active,is_staff,is_superuser", ""),
    "agents_user_groups": ("", "user_id=agents_user,group_id=auth_group"),
    "agents_user_user_permissions": ("", "user_id=agents_user"),
    "auth_group": ("", ""),
    "auth_group_permissions": ("", "group_id=auth_group"),
    "tickets_topic": ("", ""),
    "tickets_calendar": ("", ""),
    "tickets_openinghours": ("", "calendar_id=tickets_calendar"),
    "tickets_closedday": ("", "calendar_id=tickets_calendar"),
    "tickets_cannedreply": ("", ""),
    "tickets_article": ("-body,search", ""),
    "tickets_assistantrule": ("", ""),
    "tickets_block": ("kind,until,made_by_id", ""),
    "dispatch_route": ("", ""),
    "dispatch_routestep": ("", "route_id=dispatch_route"),
    "dispatch_requirement": ("", "route_id=dispatch_route"),
    "dispatch_rate": ("", ""),
    "dispatch_policy": ("", "pool_id=agents_pool"),
    "dispatch_neededhour": ("-taken", ""),
    "dispatch_alertrule": ("", ""),
    "dispatch_webhookendpoint": ("url,description,events,stopped_by,stopped_at", ""),
    "agents_apitoken": ("name,scopes,expires_at,revoked_at", ""),
    "dispatch_practicescript": ("", ""),
    "dispatch_practicepoint": ("", "script_id=dispatch_practicescript"),
}
FUNCTIONS = """
CREATE FUNCTION dispatch_change_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    columns text[] := string_to_array(ltrim(TG_ARGV[0], '-'), ',');
    all_but boolean := TG_ARGV[0] = '' OR left(TG_ARGV[0], 1) = '-';
    own_id bigint := coalesce(after ->> 'id', before ->> 'id');
    was jsonb;
    becomes jsonb;
    names text[];
BEGIN
    SELECT coalesce(jsonb_object_agg(name, before -> name) FILTER (WHERE before ? name), '{}'),
           coalesce(jsonb_object_agg(name, after -> name) FILTER (WHERE after ? name), '{}')
    INTO was, becomes
    FROM jsonb_object_keys(before || after) AS name
    WHERE name <> 'id' AND (name = ANY (columns)) <> all_but
      AND coalesce(before -> name, 'null') IS DISTINCT FROM coalesce(after -> name, 'null');
    IF TG_OP = 'UPDATE' AND was = '{}' AND becomes = '{}' THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(DISTINCT name) INTO names FROM (
        SELECT TG_TABLE_NAME || ':' || own_id AS name
        UNION ALL
        SELECT split_part(part, '=', 2) || ':' || (version ->> split_part(part, '=', 1))
        FROM unnest(string_to_array(TG_ARGV[1], ',')) AS part, unnest(ARRAY[before, after]) AS version
    ) AS parts WHERE name IS NOT NULL;
    INSERT INTO dispatch_change ("table", "row", kind, old, new, about, by_id)
    VALUES (TG_TABLE_NAME, own_id, TG_OP, was, becomes, names,
            nullif(current_setting('standby.by', true), '')::bigint);
    RETURN NULL;
END $$;

CREATE FUNCTION dispatch_change_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND coalesce(current_setting('standby.erasing', true) = 'on', false) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'what was changed is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER change_append_only BEFORE UPDATE OR DELETE ON dispatch_change
    FOR EACH ROW EXECUTE FUNCTION dispatch_change_refuse_change();
"""
TRIGGERS = "".join(
    f"CREATE TRIGGER change_noted AFTER INSERT OR UPDATE OR DELETE ON {table} "
    f"FOR EACH ROW EXECUTE FUNCTION dispatch_change_note('{columns}', '{parts}');\n"
    for table, (columns, parts) in TRACKED.items()
)
BACKWARD = (
    "".join(f"DROP TRIGGER change_noted ON {table};\n" for table in TRACKED)
    + "DROP TRIGGER change_append_only ON dispatch_change;"
    "DROP FUNCTION dispatch_change_note(); DROP FUNCTION dispatch_change_refuse_change();"
)


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0033_webhook_triggers"),
        ("agents", "0016_pool_admins"),
        ("tickets", "0024_admin_lists"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("table", models.CharField(max_length=63, verbose_name="table")),
                ("row", models.BigIntegerField(verbose_name="number")),
                (
                    "kind",
                    models.CharField(
                        choices=[("INSERT", "added"), ("UPDATE", "changed"), ("DELETE", "deleted")],
                        max_length=6,
                        verbose_name="kind",
                    ),
                ),
                ("old", models.JSONField(default=dict, verbose_name="before")),
                ("new", models.JSONField(default=dict, verbose_name="after")),
                (
                    "about",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=90), size=None, verbose_name="about"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="at",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: not in the admin, but by a service or a command.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of configuration",
                "verbose_name_plural": "changes of configuration",
                "ordering": ["-id"],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["about"], name="change_about"),
                    models.Index(fields=["table", "-id"], name="change_by_table"),
                ],
            },
        ),
        migrations.RunSQL(FUNCTIONS + TRIGGERS, BACKWARD),
    ]
