"""An offer takes only the steps that OfferState lists, whoever writes; counters stay on their page."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION dispatch_offer_check_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'pending' AND NEW.state IN
        ('accepted', 'declined', 'expired', 'rescinded', 'revoked', 'cancelled') THEN
        RETURN NEW;
    END IF;
    IF OLD.state = 'accepted' AND NEW.state IN ('completed', 'released') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'an offer cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER offer_step BEFORE UPDATE OF state ON dispatch_offer
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION dispatch_offer_check_step();

ALTER TABLE dispatch_feed SET (fillfactor = 50);
"""
BACKWARD = """
ALTER TABLE dispatch_feed RESET (fillfactor);
DROP TRIGGER offer_step ON dispatch_offer;
DROP FUNCTION dispatch_offer_check_step();
"""


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
