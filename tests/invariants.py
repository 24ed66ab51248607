"""The invariants of docs/architecture.md as SQL: each query returns the rows that break it."""

from collections.abc import Callable
from typing import Any

# A completed offer whose agent was paid for handing the ticket over before: a part of its pay that they have.
IN_ADVANCE = """(o.state = 'completed' AND EXISTS (
            SELECT FROM dispatch_offer r JOIN agents_ledgerentry a ON a.reference = 'offer:' || r.id AND a.kind = 'release'
            WHERE r.ticket_id = o.ticket_id AND r.agent_id = o.agent_id))"""
BROKEN = {
    "I1 at most one holder a ticket": """
        SELECT ticket_id FROM dispatch_offer WHERE state = 'accepted' GROUP BY ticket_id HAVING count(*) > 1""",
    "I1 a held ticket has a holder, and only a held one": """
        SELECT t.id FROM tickets_ticket t
        LEFT JOIN dispatch_offer o ON o.ticket_id = t.id AND o.state = 'accepted'
        WHERE (t.state = 'held') <> (o.id IS NOT NULL)""",
    "I5 an open ticket is held, waits, or sleeps until a time; and only those sleep": """
        SELECT id FROM tickets_ticket WHERE state = 'asleep' AND wakes_at IS NULL
            OR wakes_at IS NOT NULL AND state NOT IN ('held', 'asleep')""",
    "I5 nothing is put aside for longer than its route allows": """
        SELECT t.id FROM tickets_ticket t JOIN LATERAL (
            SELECT created_at FROM tickets_ticketevent WHERE ticket_id = t.id AND type = 'ticket.snoozed'
            ORDER BY seq DESC LIMIT 1) put ON true
        JOIN LATERAL (
            SELECT snooze_hours FROM dispatch_route WHERE topic_id = t.topic_id OR topic_id IS NULL
            ORDER BY topic_id NULLS LAST LIMIT 1) route ON true
        WHERE t.wakes_at > put.created_at + make_interval(hours => route.snooze_hours) + interval '1 s'""",
    "what sleeps is offered to nobody, and takes no units of its holder": """
        SELECT o.id FROM dispatch_offer o JOIN tickets_ticket t ON t.id = o.ticket_id
        WHERE t.wakes_at IS NOT NULL AND (o.state = 'pending' OR o.state = 'accepted' AND o.units <> 0)""",
    "a ticket wakes once, from a sleep": """
        SELECT id FROM (SELECT id, ticket_id, type, lag(type) OVER (PARTITION BY ticket_id ORDER BY seq) AS before
                        FROM tickets_ticketevent WHERE type IN ('ticket.snoozed', 'ticket.woke', 'ticket.left_asleep',
                            'ticket.released', 'ticket.resolved', 'ticket.closed', 'ticket.ended', 'ticket.merged')) AS told
        WHERE type = 'ticket.woke' AND coalesce(before, '') NOT IN ('ticket.snoozed', 'ticket.left_asleep')""",
    "what was ended as spam or abuse is closed and unrated": """
        SELECT t.id FROM tickets_ticket t LEFT JOIN dispatch_misuse m ON m.ticket_id = t.id AND m.confirmed IS NOT FALSE
        WHERE (t.ended_as IN ('spam', 'abuse')) <> (m.id IS NOT NULL) OR t.ended_as <> '' AND t.state <> 'closed'""",
    "what was merged goes on in a ticket of the same customer that was not merged itself, and nobody works on it": """
        SELECT t.id FROM tickets_ticket t JOIN tickets_ticket into_it ON into_it.id = t.merged_into_id
        LEFT JOIN dispatch_offer o ON o.ticket_id = t.id AND o.state IN ('pending', 'accepted')
        WHERE t.state <> 'closed' OR into_it.merged_into_id IS NOT NULL OR into_it.customer_id <> t.customer_id
            OR o.id IS NOT NULL""",
    "I2, I5 an assisted ticket has a next step, and no holder": """
        SELECT t.id FROM tickets_ticket t
        WHERE (t.state = 'assisted') <> (t.assist_due_at IS NOT NULL)
           OR t.state = 'assisted' AND (t.assist_due_at < now() - interval '1 minute' OR t.place IS NOT NULL
              OR EXISTS (SELECT FROM dispatch_offer o WHERE o.ticket_id = t.id))""",
    "a ticket that the assistant handed over says so once, and waits from then on": """
        SELECT t.id FROM tickets_ticket t LEFT JOIN tickets_ticketevent e ON e.ticket_id = t.id AND (
            e.type = 'ticket.handed_over' OR e.type = 'ticket.human_requested' AND t.handover = 'person')
        WHERE t.handed_over_at IS NOT NULL GROUP BY t.id HAVING count(e.id) = 0
           OR count(e.id) FILTER (WHERE e.type = 'ticket.handed_over') > 1""",
    "the assistant answers only what it had: each answer is a message of its own": """
        SELECT a.id FROM tickets_assistantanswer a
        LEFT JOIN tickets_message m ON m.ticket_id = a.ticket_id AND m.seq = a.seq
        WHERE m.author IS DISTINCT FROM 'system' OR m.internal
        UNION ALL SELECT a.id FROM tickets_assistantanswer a JOIN tickets_ticketevent e ON e.ticket_id = a.ticket_id
        WHERE e.type = 'ticket.held' AND e.seq < a.seq""",
    "I3 numbers of a timeline have no gap": """
        SELECT t.id FROM tickets_ticket t LEFT JOIN tickets_ticketevent e ON e.ticket_id = t.id
        GROUP BY t.id HAVING count(e.id) <> t.last_seq OR coalesce(max(e.seq), 0) <> t.last_seq""",
    "I3 a message has the number of its event": """
        SELECT m.id FROM tickets_message m LEFT JOIN tickets_ticketevent e ON e.ticket_id = m.ticket_id AND e.seq = m.seq
        WHERE e.type IS DISTINCT FROM CASE WHEN m.internal THEN 'note.added' ELSE 'message.posted' END""",
    "numbers of a feed have no gap": """
        SELECT f.agent_id FROM dispatch_feed f LEFT JOIN dispatch_feedevent e ON e.agent_id = f.agent_id
        GROUP BY f.agent_id, f.last_seq HAVING count(e.id) <> f.last_seq OR coalesce(max(e.seq), 0) <> f.last_seq""",
    "I4 no win after the deadline": """
        SELECT id FROM dispatch_offer
        WHERE state IN ('accepted', 'completed', 'released') AND answered_at > expires_at""",
    "no live offer of an ended shift": """
        SELECT o.id FROM dispatch_offer o JOIN agents_shift s ON s.id = o.shift_id
        WHERE o.state IN ('pending', 'accepted') AND s.ended_at IS NOT NULL""",
    "time is counted of who is online, and of nobody else": """
        SELECT id FROM agents_shift
        WHERE (online_since IS NOT NULL) <> (ended_at IS NULL AND state = 'online' AND lost_at IS NULL)""",
    "units taken are those of live offers and wrap-ups": """
        SELECT s.id FROM agents_shift s LEFT JOIN dispatch_offer o ON o.shift_id = s.id AND (
            o.state = 'accepted' OR o.state = 'pending' AND NOT o.next_up OR o.wrap_until IS NOT NULL)
        GROUP BY s.id HAVING s.units_taken <> coalesce(sum(o.units), 0) OR s.units_taken > s.units""",
    "units wrapping are those of wrap-ups": """
        SELECT s.id FROM agents_shift s LEFT JOIN dispatch_offer o ON o.shift_id = s.id AND o.wrap_until IS NOT NULL
        GROUP BY s.id HAVING s.units_wrapping <> coalesce(sum(o.units), 0)""",
    "no wrap-up of an ended shift or a lost one": """
        SELECT o.id FROM dispatch_offer o JOIN agents_shift s ON s.id = o.shift_id
        WHERE o.wrap_until IS NOT NULL AND (s.ended_at IS NOT NULL OR s.lost_at IS NOT NULL)""",
    "a next-up has room once the wrap-ups end": """
        SELECT o.id FROM dispatch_offer o JOIN agents_shift s ON s.id = o.shift_id
        WHERE o.state = 'pending' AND o.next_up AND s.units_taken - s.units_wrapping + o.units > s.units""",
    "no open shift of somebody who is not admitted": """
        SELECT s.id FROM agents_shift s JOIN agents_agent a ON a.id = s.agent_id
        WHERE s.ended_at IS NULL AND a.status <> 'admitted' AND NOT s.practice""",
    "a practice shift has offers of practice tickets, made by no run, and nobody else has": """
        SELECT o.id FROM dispatch_offer o JOIN agents_shift s ON s.id = o.shift_id JOIN tickets_ticket t ON t.id = o.ticket_id
        WHERE s.practice <> (t.channel = 'practice') OR s.practice <> (o.run_id IS NULL)""",
    "practice is in nobody's books": """
        SELECT l.id FROM agents_ledgerentry l JOIN dispatch_offer o ON l.reference = 'offer:' || o.id
        WHERE o.run_id IS NULL
        UNION ALL SELECT r.id FROM tickets_rating r JOIN tickets_ticket t ON t.id = r.ticket_id WHERE t.channel = 'practice'
        UNION ALL SELECT e.id FROM dispatch_escalation e JOIN tickets_ticket t ON t.id = e.ticket_id
        WHERE t.channel = 'practice'""",
    "I8 what completed offers showed as surge is credited, once": f"""
        SELECT o.id FROM dispatch_offer o
        LEFT JOIN agents_ledgerentry l ON l.reference = 'offer:' || o.id AND l.kind = 'surge'
        WHERE o.surge_cents > 0 AND NOT {IN_ADVANCE} GROUP BY o.id
        HAVING count(l.id) <> (o.state = 'completed')::int OR coalesce(sum(l.amount_cents), o.surge_cents) <> o.surge_cents""",
    "a payout is the sum of its lines, and of nobody else's": """
        SELECT p.id FROM agents_payout p JOIN agents_payoutrun r ON r.id = p.run_id AND r.state <> 'discarded'
        LEFT JOIN agents_payoutitem i ON i.payout_id = p.id LEFT JOIN agents_ledgerentry l ON l.id = i.entry_id
        GROUP BY p.id, r.currency HAVING coalesce(sum(l.amount_cents), 0) <> p.amount_cents
            OR bool_or(l.agent_id <> p.agent_id OR l.currency <> r.currency OR l.kind = 'payout')""",
    "a payout is booked with its run's approval, once, and comes back with its failure, once": """
        SELECT p.id FROM agents_payout p JOIN agents_payoutrun r ON r.id = p.run_id
        WHERE (SELECT coalesce(sum(l.amount_cents), 0) FROM agents_ledgerentry l
               WHERE l.kind = 'payout' AND l.reference = 'payout:' || p.id)
              <> CASE WHEN r.state IN ('approved', 'exported') THEN -p.amount_cents ELSE 0 END
           OR (SELECT coalesce(sum(l.amount_cents), 0) FROM agents_ledgerentry l
               WHERE l.kind = 'returned' AND l.reference = 'payout:' || p.id)
              <> CASE WHEN p.state = 'failed' THEN p.amount_cents ELSE 0 END""",
    "what is owed is what no approved payout pays": """
        SELECT l.agent_id FROM agents_ledgerentry l
        LEFT JOIN agents_payoutitem i ON i.entry_id = l.id LEFT JOIN agents_payout p ON p.id = i.payout_id
        LEFT JOIN agents_payoutrun r ON r.id = p.run_id
        GROUP BY l.agent_id, l.currency
        HAVING sum(l.amount_cents) <> coalesce(sum(l.amount_cents) FILTER (
            WHERE l.kind <> 'payout' AND coalesce(r.state, 'none') NOT IN ('approved', 'exported')), 0)""",
    "I8 completed offers are credited, once": f"""
        SELECT o.id FROM dispatch_offer o
        LEFT JOIN agents_ledgerentry l ON l.reference = 'offer:' || o.id AND l.kind = 'ticket'
        WHERE o.pay_cents > 0 AND NOT {IN_ADVANCE} GROUP BY o.id HAVING count(l.id) <> (o.state = 'completed')::int""",
    "handing over is paid once an agent and ticket": """
        SELECT o.ticket_id FROM dispatch_offer o
        JOIN agents_ledgerentry l ON l.reference = 'offer:' || o.id AND l.kind = 'release'
        GROUP BY o.ticket_id, o.agent_id HAVING count(*) > 1""",
    "a ticket that comes back to who handed it over pays no more than it showed": """
        SELECT o.id FROM dispatch_offer o
        JOIN dispatch_offer r ON r.ticket_id = o.ticket_id AND r.agent_id = o.agent_id AND r.state = 'released'
        JOIN agents_ledgerentry l ON l.reference = 'offer:' || r.id AND l.kind = 'release' AND l.currency = o.currency
        LEFT JOIN agents_ledgerentry p ON p.reference = 'offer:' || o.id AND p.kind IN ('ticket', 'surge')
        WHERE o.state = 'completed' AND o.ended_at >= r.ended_at AND NOT EXISTS (
            SELECT FROM dispatch_offer c WHERE c.ticket_id = o.ticket_id AND c.agent_id = o.agent_id
            AND c.state = 'completed' AND c.id < o.id AND c.ended_at >= r.ended_at)
        GROUP BY o.id, l.id HAVING coalesce(sum(p.amount_cents), 0) + l.amount_cents
            <> greatest(o.pay_cents + o.surge_cents, l.amount_cents)""",
}


def broken(query: Callable[[str], list[Any]]) -> dict[str, list[Any]]:
    """Invariant → rows that break it; empty when all hold. `query` runs one SELECT and returns its rows."""
    found = {name: query(sql) for name, sql in BROKEN.items()}
    return {name: rows for name, rows in found.items() if rows}
