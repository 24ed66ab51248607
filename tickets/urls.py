"""The customer's addresses. They mirror those of the API: …/messages, …/request-human, …/address, …/close, and so on."""

from django.urls import path

from tickets.views import articles, chat, commands, door, files, links, mails, opening, widget

urlpatterns = [
    path("", opening.opening, name="opening"),
    path("help/", articles.articles, name="articles"),
    path("help/<slug:slug>", articles.article, name="article"),
    path("links", links.links, name="links"),
    path("widget.js", widget.script, name="widget_script"),
    path("widget/", widget.begin, name="widget"),
    path("t/<slug:public_id>/", chat.ticket_page, name="ticket"),
    path("t/<slug:public_id>/goes-on", door.goes_on, name="ticket_goes_on"),
    path("t/<slug:public_id>/enter", door.enter, name="ticket_enter"),
    path("t/<slug:public_id>/news", chat.news, name="ticket_news"),
    path("t/<slug:public_id>/messages", commands.messages, name="ticket_messages"),
    path("t/<slug:public_id>/request-human", commands.request_human, name="ticket_request_human"),
    path("t/<slug:public_id>/answer", commands.answer, name="ticket_answer"),
    path("t/<slug:public_id>/address", commands.address, name="ticket_address"),
    path("t/<slug:public_id>/close", commands.close, name="ticket_close"),
    path("t/<slug:public_id>/reopen", commands.reopen, name="ticket_reopen"),
    path("t/<slug:public_id>/rating", commands.rating, name="ticket_rating"),
    path("t/<slug:public_id>/erase", commands.erase, name="ticket_erase"),
    path("t/<slug:public_id>/mails/<slug:mark>", mails.mails, name="ticket_mails"),
    path("t/<slug:public_id>/sign", commands.sign, name="ticket_sign"),
    path("t/<slug:public_id>/attachments/<int:attachment_id>", files.attachment, name="ticket_attachment"),
    path("t/<slug:public_id>/transcript", files.transcript, name="ticket_transcript"),
]
