"""Every place that points at an agent or an account: what their export has of it, and what erasing does with it.

tests/dispatch/test_personal.py walks all models: a foreign key to Agent or User that is not in PLACES fails the build, so that
nobody can add one and forget the rights of the people behind it.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """`export`: the file that has it, or in brackets why none has. `erase`: "deleted", "emptied", or why it stays."""

    export: str
    erase: str


_STAFF = Place(
    "(somebody else's work: the agent is told the role of who did it)", "stays: a member of staff did it"
)
_LOG_IN = Place("(log-in, not content: seen and ended on the account's page)", "deleted")
_PAY_LAW = "stays without name, by tax and commercial law"

# app.Model.field
PLACES: dict[str, Place] = {
    "agents.Agent.user": Place("profile", "emptied"),
    "agents.Agent_pools.agent": Place("profile", "deleted"),
    "agents.AgentSkill.agent": Place("skills", "deleted"),
    "agents.Application.agent": Place("application", "deleted"),
    "tickets.Block.made_by": _STAFF,
    "agents.Attempt.agent": Place("learning", "deleted"),
    "agents.DataExport.agent": Place("exports", "deleted"),
    "agents.Decision.agent": Place("decisions", "emptied"),
    "agents.Decision.decided_by": _STAFF,
    "agents.AccountToken.user": _LOG_IN,
    "agents.ApiToken.made_by": _STAFF,
    "agents.Appeal.decided_by": _STAFF,
    "agents.Appeal.answered_by": _STAFF,
    "agents.Inquiry.agent": Place("questions", "deleted"),
    "agents.Inquiry.answered_by": _STAFF,
    "agents.Leaving.agent": Place("leaving", "stays: that and when they were erased"),
    "agents.LedgerEntry.agent": Place("ledger", _PAY_LAW),
    "agents.LedgerEntry.author": _STAFF,
    "agents.Notice.agent": Place("notices", "deleted"),
    "agents.Payout.agent": Place("payouts", _PAY_LAW),
    "agents.PayoutAccount.agent": Place("payout-details", "deleted"),
    "agents.PayoutRun.approved_by": _STAFF,
    "agents.PayoutRun.made_by": _STAFF,
    "agents.PushDevice.agent": Place("devices", "deleted"),
    "agents.PushDevice.user": Place("devices", "deleted"),
    "agents.CallWishes.agent": Place("calls", "deleted"),
    "agents.Shift.agent": Place("shifts", "emptied"),
    "agents.Pool_admins.user": Place("profile", "deleted"),
    "agents.User_groups.user": Place("profile", "deleted"),
    "agents.User_user_permissions.user": Place("profile", "deleted"),
    "account.EmailAddress.user": Place("profile", "deleted"),
    "admin.LogEntry.user": _STAFF,
    "mfa.Authenticator.user": _LOG_IN,
    "socialaccount.SocialAccount.user": _LOG_IN,
    "dispatch.Alert.acknowledged_by": _STAFF,
    "dispatch.Booking.agent": Place("bookings", "deleted"),
    "dispatch.Change.by": _STAFF,
    "dispatch.Contest.agent": Place("contests", "emptied"),
    "dispatch.Contest.answered_by": _STAFF,
    "dispatch.Contest.reviewer": _STAFF,
    "dispatch.DeskKeys.agent": Place("keys", "deleted"),
    "dispatch.Draft.agent": Place("drafts", "deleted"),
    "dispatch.Escalation.agent": Place("escalations", "emptied"),
    "dispatch.Escalation.settled_by": _STAFF,
    "dispatch.Feed.agent": Place("(a counter of the next place)", "deleted"),
    "dispatch.FeedEvent.agent": Place("events", "deleted"),
    "dispatch.LeadAction.agent": Place("lead-acts", "emptied"),
    "dispatch.LeadAction.by": _STAFF,
    "dispatch.Misuse.settled_by": _STAFF,
    "dispatch.Offer.agent": Place("offers", "stays without name: what pay and tickets are explained by"),
    "dispatch.Practice.agent": Place("practice", "emptied"),
    "dispatch.Reveal.by": Place("reveals", "emptied"),
    "dispatch.Review.agent": Place("reviews", "emptied"),
    "dispatch.Review.reviewer": Place("reviews-written", "stays: the account has no name any more"),
    "dispatch.Simulation.asked_by": _STAFF,
    "dispatch.Standing.agent": Place("standing", "deleted"),
    "dispatch.Transfer.agent": Place("transfers", "stays without name"),
    "tickets.Article.approved_by": _STAFF,
    "tickets.ArticleVersion.approved_by": _STAFF,
    "tickets.ArticleVersion.saved_by": _STAFF,
    "tickets.Message.author_user": Place("messages", "emptied"),
    "tickets.TicketEvent.actor": Place(
        "(the same as messages, offers and their times)", "stays: the account has no name any more"
    ),
}
