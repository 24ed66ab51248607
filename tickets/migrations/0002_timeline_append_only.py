"""The timeline only grows: the database itself refuses to change or remove an event."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION tickets_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the timeline is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ticket_event_append_only BEFORE UPDATE OR DELETE ON tickets_ticketevent
    FOR EACH ROW EXECUTE FUNCTION tickets_event_refuse_change();
"""
BACKWARD = """
DROP TRIGGER ticket_event_append_only ON tickets_ticketevent;
DROP FUNCTION tickets_event_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
