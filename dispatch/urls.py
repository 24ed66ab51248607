"""Addresses of the agents' pages."""

from django.urls import path

from dispatch.views import (
    aside,
    commands,
    console,
    desk,
    earnings,
    files,
    merging,
    passing,
    payouts,
    reveal,
    suggesting,
)

urlpatterns = [
    path("", console.console, name="console"),
    path("news", commands.fresh, name="console_news"),
    path("shift/<slug:action>", commands.shift, name="console_shift"),
    path("auto-accept", commands.auto_accept, name="console_auto_accept"),
    path("offers/<int:offer_id>/accept", commands.accept, name="console_accept"),
    path("offers/<int:offer_id>/decline", commands.decline, name="console_decline"),
    path("tickets/<slug:public_id>/reply", commands.reply, name="console_reply"),
    path("tickets/<slug:public_id>/note", commands.note, name="console_note"),
    path("tickets/<slug:public_id>/resolve", commands.resolve, name="console_resolve"),
    path("tickets/<slug:public_id>/undo", commands.undo, name="console_undo"),
    path("tickets/<slug:public_id>/done", commands.done, name="console_done"),
    path("tickets/<slug:public_id>/hand-back", commands.hand_back, name="console_hand_back"),
    path("tickets/<slug:public_id>/topic", commands.topic, name="console_topic"),
    path("keys", desk.desk_keys, name="console_keys"),
    path("drafts", desk.all_drafts, name="console_drafts"),
    path("tickets/<slug:public_id>/sign", desk.sign, name="console_sign"),
    path("tickets/<slug:public_id>/draft", desk.draft, name="console_draft"),
    path("tickets/<slug:public_id>/canned-replies", desk.canned_replies, name="console_canned"),
    path("tickets/<slug:public_id>/suggestions", suggesting.suggested, name="console_suggestions"),
    path(
        "tickets/<slug:public_id>/suggestions/<int:suggestion_id>/used",
        suggesting.used,
        name="console_suggestion_used",
    ),
    path("tickets/<slug:public_id>/pass-on", passing.pass_on, name="console_pass_on"),
    path("tickets/<slug:public_id>/aside", aside.aside, name="console_aside"),
    path("tickets/<slug:public_id>/wake", aside.wake, name="console_wake"),
    path("tickets/<slug:public_id>/end", aside.end, name="console_end"),
    path("tickets/<slug:public_id>/merge", merging.merge, name="console_merge"),
    path("tickets/<slug:public_id>/merged/<slug:other>", merging.merged, name="console_merged"),
    path("tickets/<slug:public_id>/reveal/<slug:place>", reveal.reveal, name="console_reveal"),
    path("tickets/<slug:public_id>/files/<int:attachment_id>", files.attachment, name="console_file"),
    path("earnings/", earnings.earnings, name="console_earnings"),
    path("earnings.csv", earnings.earnings_csv, name="console_earnings_csv"),
    path("payout-details/", payouts.details, name="console_payout_details"),
    *(
        one
        for form in payouts.WRITERS
        for one in (
            path(
                f"payouts/<int:payout_id>.{form}",
                payouts.payout_statement,
                {"form": form},
                name=f"console_payout_{form}",
            ),
            path(
                f"earnings/<slug:month>.{form}",
                payouts.month_statement,
                {"form": form},
                name=f"console_month_{form}",
            ),
        )
    ),
]
