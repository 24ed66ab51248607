"""How long shifts of before were online, from what their agents were told: each change of a shift is an event of theirs.

Where those are gone, it stays at what agents 0020 found.
"""

from django.db import migrations

FORWARD = """
WITH told AS (
    SELECT agent_id, (data->>'epoch')::int AS epoch, created_at AS since,
           data->>'state' = 'online' AND NOT coalesce((data->>'lost')::boolean, false) AS online,
           lead(created_at) OVER (PARTITION BY agent_id, data->>'epoch' ORDER BY seq) AS until
    FROM dispatch_feedevent WHERE type = 'shift.changed'),
summed AS (
    SELECT agent_id, epoch,
           coalesce(sum(extract(epoch FROM until - since)) FILTER (WHERE online AND until IS NOT NULL), 0) AS seconds,
           max(since) FILTER (WHERE online AND until IS NULL) AS since
    FROM told GROUP BY agent_id, epoch)
UPDATE agents_shift s SET online_seconds = summed.seconds,
    online_since = CASE WHEN s.online_since IS NOT NULL THEN coalesce(summed.since, s.online_since) END
FROM summed WHERE summed.agent_id = s.agent_id AND summed.epoch = s.epoch AND NOT s.practice
"""


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0043_audit_chain"), ("agents", "0020_time_online")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
