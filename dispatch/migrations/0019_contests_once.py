"""A review is written once and a contest answered once; in the transaction that erases somebody their words may change."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION dispatch_review_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.written_at IS NOT NULL AND
            (TG_OP = 'DELETE' OR NOT agents_only_erased(to_jsonb(OLD), to_jsonb(NEW), 'text')) THEN
        RAISE EXCEPTION 'a review is written once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER review_written_once BEFORE UPDATE OR DELETE ON dispatch_review
    FOR EACH ROW EXECUTE FUNCTION dispatch_review_once();

CREATE FUNCTION dispatch_contest_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND agents_only_erased(to_jsonb(OLD), to_jsonb(NEW), 'text', 'answer') THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.answered_at IS NOT NULL OR
            (OLD.agent_id, OLD.rating_id, OLD.review_id, OLD.reviewer_id, OLD.text, OLD.written_at, OLD.due_at)
            IS DISTINCT FROM
            (NEW.agent_id, NEW.rating_id, NEW.review_id, NEW.reviewer_id, NEW.text, NEW.written_at, NEW.due_at) THEN
        RAISE EXCEPTION 'a contest is answered once, and nothing else of it changes'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER contest_answered_once BEFORE UPDATE OR DELETE ON dispatch_contest
    FOR EACH ROW EXECUTE FUNCTION dispatch_contest_once();
"""
BACKWARD = """
DROP TRIGGER contest_answered_once ON dispatch_contest;
DROP FUNCTION dispatch_contest_once();
DROP TRIGGER review_written_once ON dispatch_review;
DROP FUNCTION dispatch_review_once();
"""


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0018_quality"), ("agents", "0012_erasing")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
