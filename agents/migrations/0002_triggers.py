"""The ledger only grows; a profile's version rises with its skills and languages; beats stay on their page."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION agents_ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON agents_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION agents_ledger_refuse_change();

CREATE FUNCTION agents_skill_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE agents_agent SET profile_version = profile_version + 1
        WHERE id = coalesce(NEW.agent_id, OLD.agent_id);
    RETURN NULL;
END $$;
CREATE TRIGGER agent_skill_version AFTER INSERT OR UPDATE OR DELETE ON agents_agentskill
    FOR EACH ROW EXECUTE FUNCTION agents_skill_raise_version();

CREATE FUNCTION agents_agent_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.profile_version := OLD.profile_version + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER agent_languages_version BEFORE UPDATE ON agents_agent
    FOR EACH ROW WHEN (OLD.languages IS DISTINCT FROM NEW.languages)
    EXECUTE FUNCTION agents_agent_raise_version();

ALTER TABLE agents_lease SET (fillfactor = 50);
ALTER TABLE agents_shift SET (fillfactor = 70);
"""
BACKWARD = """
ALTER TABLE agents_shift RESET (fillfactor);
ALTER TABLE agents_lease RESET (fillfactor);
DROP TRIGGER agent_languages_version ON agents_agent;
DROP FUNCTION agents_agent_raise_version();
DROP TRIGGER agent_skill_version ON agents_agentskill;
DROP FUNCTION agents_skill_raise_version();
DROP TRIGGER ledger_append_only ON agents_ledgerentry;
DROP FUNCTION agents_ledger_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
