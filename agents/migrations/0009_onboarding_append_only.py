"""Decisions only grow; an appeal is answered once, and its words stay."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION agents_decision_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'decisions are append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER decision_append_only BEFORE UPDATE OR DELETE ON agents_decision
    FOR EACH ROW EXECUTE FUNCTION agents_decision_refuse_change();

CREATE FUNCTION agents_appeal_answer_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.answered_at IS NOT NULL OR
            (OLD.decision_id, OLD.decided_by_id, OLD.text, OLD.written_at)
            IS DISTINCT FROM (NEW.decision_id, NEW.decided_by_id, NEW.text, NEW.written_at) THEN
        RAISE EXCEPTION 'an appeal is answered once, and nothing else of it changes'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_answered_once BEFORE UPDATE OR DELETE ON agents_appeal
    FOR EACH ROW EXECUTE FUNCTION agents_appeal_answer_once();
"""
BACKWARD = """
DROP TRIGGER appeal_answered_once ON agents_appeal;
DROP FUNCTION agents_appeal_answer_once();
DROP TRIGGER decision_append_only ON agents_decision;
DROP FUNCTION agents_decision_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0008_onboarding")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
