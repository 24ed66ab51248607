"""What a payout pays never changes, and it takes only its steps; a sent one is never deleted."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION agents_payout_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'payouts are never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.id, NEW.run_id, NEW.agent_id, NEW.amount_cents, NEW.holder, NEW.hint)
       IS DISTINCT FROM (OLD.id, OLD.run_id, OLD.agent_id, OLD.amount_cents, OLD.holder, OLD.hint) THEN
        RAISE EXCEPTION 'what a payout pays never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN
       (('open', 'confirmed'), ('open', 'failed'), ('confirmed', 'failed')) THEN
        RAISE EXCEPTION 'a payout that is % cannot become %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payout_steps BEFORE UPDATE OR DELETE ON agents_payout
    FOR EACH ROW EXECUTE FUNCTION agents_payout_refuse_change();

CREATE FUNCTION agents_payoutrun_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN
       (('draft', 'approved'), ('draft', 'discarded'), ('approved', 'exported')) THEN
        RAISE EXCEPTION 'a run that is % cannot become %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payout_run_steps BEFORE UPDATE ON agents_payoutrun
    FOR EACH ROW EXECUTE FUNCTION agents_payoutrun_refuse_change();

-- The lines of a payout are set aside with its draft, and given free with it; then they stay.
CREATE FUNCTION agents_payoutitem_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR EXISTS (
        SELECT FROM agents_payout p JOIN agents_payoutrun r ON r.id = p.run_id
        WHERE p.id = OLD.payout_id AND r.state IN ('approved', 'exported')) THEN
        RAISE EXCEPTION 'what a payout pays never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER payout_items_stay BEFORE UPDATE OR DELETE ON agents_payoutitem
    FOR EACH ROW EXECUTE FUNCTION agents_payoutitem_refuse_change();
"""
BACKWARD = """
DROP TRIGGER payout_items_stay ON agents_payoutitem;
DROP FUNCTION agents_payoutitem_refuse_change();
DROP TRIGGER payout_run_steps ON agents_payoutrun;
DROP FUNCTION agents_payoutrun_refuse_change();
DROP TRIGGER payout_steps ON agents_payout;
DROP FUNCTION agents_payout_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0006_pay")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
