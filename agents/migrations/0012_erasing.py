"""What only grows stays so, but for the words about somebody who is erased: in that transaction these may change, no more.

Questions of agents are answered once.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION agents_only_erased(old jsonb, new jsonb, VARIADIC words text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('standby.erasing', true) = 'on', false) AND new - words = old - words
$$;

CREATE OR REPLACE FUNCTION agents_ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND agents_only_erased(to_jsonb(OLD), to_jsonb(NEW), 'memo') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION agents_decision_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND agents_only_erased(to_jsonb(OLD), to_jsonb(NEW), 'reason') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'decisions are append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION agents_appeal_answer_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND agents_only_erased(to_jsonb(OLD), to_jsonb(NEW), 'text', 'answer') THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.answered_at IS NOT NULL OR
            (OLD.decision_id, OLD.decided_by_id, OLD.text, OLD.written_at)
            IS DISTINCT FROM (NEW.decision_id, NEW.decided_by_id, NEW.text, NEW.written_at) THEN
        RAISE EXCEPTION 'an appeal is answered once, and nothing else of it changes'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION agents_payout_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'payouts are never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF agents_only_erased(to_jsonb(OLD), to_jsonb(NEW), 'holder', 'hint', 'iban_sealed', 'reason') THEN
        RETURN NEW;
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

CREATE FUNCTION agents_inquiry_answer_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.answered_at IS NOT NULL AND NOT agents_only_erased(to_jsonb(OLD), to_jsonb(NEW), 'text', 'answer') THEN
        RAISE EXCEPTION 'a question is answered once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER inquiry_answered_once BEFORE UPDATE ON agents_inquiry
    FOR EACH ROW EXECUTE FUNCTION agents_inquiry_answer_once();
"""
BACKWARD = """
DROP TRIGGER inquiry_answered_once ON agents_inquiry;
DROP FUNCTION agents_inquiry_answer_once();

CREATE OR REPLACE FUNCTION agents_payout_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION agents_appeal_answer_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.answered_at IS NOT NULL OR
            (OLD.decision_id, OLD.decided_by_id, OLD.text, OLD.written_at)
            IS DISTINCT FROM (NEW.decision_id, NEW.decided_by_id, NEW.text, NEW.written_at) THEN
        RAISE EXCEPTION 'an appeal is answered once, and nothing else of it changes'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION agents_decision_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'decisions are append-only' USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION agents_ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation';
END $$;

DROP FUNCTION agents_only_erased(jsonb, jsonb, text[]);
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0011_rights")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
