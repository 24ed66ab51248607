"""The invariants of docs/architecture.md as SQL: each query returns the rows that break it."""

from collections.abc import Callable
from typing import Any

BROKEN = {
    "I1 at most one holder a ticket": """
        SELECT ticket_id FROM dispatch_offer WHERE state = 'accepted' GROUP BY ticket_id HAVING count(*) > 1""",
    "I1 a held ticket has a holder, and only a held one": """
        SELECT t.id FROM tickets_ticket t
        LEFT JOIN dispatch_offer o ON o.ticket_id = t.id AND o.state = 'accepted'
        WHERE (t.state = 'held') <> (o.id IS NOT NULL)""",
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
        WHERE s.ended_at IS NULL AND a.status <> 'admitted'""",
    "I8 what completed offers showed as surge is credited, once": """
        SELECT o.id FROM dispatch_offer o
        LEFT JOIN agents_ledgerentry l ON l.reference = 'offer:' || o.id AND l.kind = 'surge'
        WHERE o.surge_cents > 0 GROUP BY o.id
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
    "I8 completed offers are credited, once": """
        SELECT o.id FROM dispatch_offer o
        LEFT JOIN agents_ledgerentry l ON l.reference = 'offer:' || o.id AND l.kind = 'ticket'
        WHERE o.pay_cents > 0 GROUP BY o.id HAVING count(l.id) <> (o.state = 'completed')::int""",
}


def broken(query: Callable[[str], list[Any]]) -> dict[str, list[Any]]:
    """Invariant → rows that break it; empty when all hold. `query` runs one SELECT and returns its rows."""
    found = {name: query(sql) for name, sql in BROKEN.items()}
    return {name: rows for name, rows in found.items() if rows}
