"""Changes of the configuration and acts of team leads are hung into a chain of hashes, those that are there too (ADR 41)."""

import django.db.models.functions.datetime
from django.db import migrations, models

# What is hashed is named column by column, so that a column that is added later leaves old digests true. Times as seconds: their
# text would depend on the session's time zone.
FUNCTIONS = """
CREATE FUNCTION dispatch_audit_change(salt text, line dispatch_change) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(salt || jsonb_build_array(
        line.id, line."table", line."row", line.kind, line.old, line.new, line.about, line.by_id,
        extract(epoch FROM line.at))::text, 'UTF8')), 'hex')
$$;
CREATE FUNCTION dispatch_audit_act(salt text, line dispatch_leadaction) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(salt || jsonb_build_array(
        line.id, line.kind, line.by_id, line.ticket_id, line.agent_id, line.why, line.data,
        extract(epoch FROM line.at))::text, 'UTF8')), 'hex')
$$;

-- The lock is held until the end of the transaction. As a deferred trigger it is taken when all else is locked already.
CREATE FUNCTION dispatch_audit_hang(of_table text, of_row bigint, what text, with_salt text, content text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    before record;
    moment timestamptz := clock_timestamp();
BEGIN
    PERFORM pg_advisory_xact_lock(7305541);
    SELECT number, hash INTO before FROM dispatch_auditlink ORDER BY number DESC LIMIT 1;
    INSERT INTO dispatch_auditlink (number, "table", "row", act, salt, digest, hash, at)
    VALUES (coalesce(before.number, 0) + 1, of_table, of_row, what, with_salt, content,
            encode(sha256(convert_to(jsonb_build_array(coalesce(before.hash, ''), coalesce(before.number, 0) + 1,
                of_table, of_row, what, content, extract(epoch FROM moment))::text, 'UTF8')), 'hex'), moment);
END $$;

CREATE FUNCTION dispatch_audit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fresh text := gen_random_uuid()::text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE dispatch_auditlink SET salt = ''
        WHERE "table" = TG_TABLE_NAME AND "row" = OLD.id AND salt <> '';
    END IF;
    IF TG_OP = 'DELETE' THEN
        PERFORM dispatch_audit_hang(TG_TABLE_NAME, OLD.id, 'deleted', '', '');
    ELSIF TG_TABLE_NAME = 'dispatch_change' THEN
        PERFORM dispatch_audit_hang(TG_TABLE_NAME, NEW.id, 'added', fresh, dispatch_audit_change(fresh, NEW));
    ELSE
        PERFORM dispatch_audit_hang(TG_TABLE_NAME, NEW.id, CASE TG_OP WHEN 'INSERT' THEN 'added' ELSE 'words' END,
                                    fresh, dispatch_audit_act(fresh, NEW));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION dispatch_audit_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.salt = '' AND to_jsonb(NEW) - 'salt' = to_jsonb(OLD) - 'salt' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit chain is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON dispatch_auditlink
    FOR EACH ROW EXECUTE FUNCTION dispatch_audit_grows();
"""
CHAIN_WHAT_IS_THERE = """
DO $$
DECLARE
    old record;
    fresh text;
BEGIN
    FOR old IN
        SELECT at, 'dispatch_change' AS of_table, id FROM dispatch_change
        UNION ALL SELECT at, 'dispatch_leadaction', id FROM dispatch_leadaction
        ORDER BY at, of_table, id
    LOOP
        fresh := gen_random_uuid()::text;
        PERFORM dispatch_audit_hang(old.of_table, old.id, 'added', fresh, coalesce(
            (SELECT dispatch_audit_change(fresh, c) FROM dispatch_change c
             WHERE old.of_table = 'dispatch_change' AND c.id = old.id),
            (SELECT dispatch_audit_act(fresh, a) FROM dispatch_leadaction a
             WHERE old.of_table = 'dispatch_leadaction' AND a.id = old.id)));
    END LOOP;
END $$;
"""
TRIGGERS = """
CREATE CONSTRAINT TRIGGER audit_added AFTER INSERT OR DELETE ON dispatch_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dispatch_audit_note();
CREATE CONSTRAINT TRIGGER audit_added AFTER INSERT OR DELETE ON dispatch_leadaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dispatch_audit_note();
CREATE CONSTRAINT TRIGGER audit_words AFTER UPDATE ON dispatch_leadaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION dispatch_audit_note();
"""
BACKWARD = """
DROP TRIGGER audit_words ON dispatch_leadaction;
DROP TRIGGER audit_added ON dispatch_leadaction;
DROP TRIGGER audit_added ON dispatch_change;
DROP TRIGGER audit_append_only ON dispatch_auditlink;
DROP FUNCTION dispatch_audit_note(); DROP FUNCTION dispatch_audit_grows();
DROP FUNCTION dispatch_audit_hang(text, bigint, text, text, text);
DROP FUNCTION dispatch_audit_change(text, dispatch_change); DROP FUNCTION dispatch_audit_act(text, dispatch_leadaction);
"""


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0042_told_again")]
    operations = [
        migrations.CreateModel(
            name="AuditLink",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="number")),
                ("table", models.CharField(max_length=63, verbose_name="table")),
                ("row", models.BigIntegerField(verbose_name="number")),
                (
                    "act",
                    models.CharField(
                        choices=[("added", "Added"), ("words", "Words"), ("deleted", "Deleted")],
                        max_length=7,
                        verbose_name="kind",
                    ),
                ),
                ("salt", models.CharField(blank=True, editable=False, max_length=36)),
                ("digest", models.CharField(blank=True, editable=False, max_length=64)),
                ("hash", models.CharField(editable=False, max_length=64)),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="at",
                    ),
                ),
            ],
            options={
                "verbose_name": "link of the audit chain",
                "verbose_name_plural": "links of the audit chain",
                "ordering": ["-number"],
                "indexes": [models.Index(fields=["table", "row", "-number"], name="audit_link_by_row")],
            },
        ),
        migrations.RunSQL(FUNCTIONS + CHAIN_WHAT_IS_THERE + TRIGGERS, BACKWARD),
    ]
