"""The timeline stays append-only, but for the name of somebody who is erased: in that transaction `data` may change, no more."""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION tickets_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('standby.erasing', true) = 'on'
       AND to_jsonb(NEW) - 'data' = to_jsonb(OLD) - 'data' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the timeline is append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION tickets_event_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the timeline is append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0006_practice")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
