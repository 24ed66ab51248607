"""The customer's addresses. They mirror those of the API: …/messages, …/request-human, …/close, …/reopen, …/rating."""

from django.urls import path

from tickets.views import chat, commands, door, files, opening

urlpatterns = [
    path("", opening.opening, name="opening"),
    path("t/<slug:public_id>/", chat.ticket_page, name="ticket"),
    path("t/<slug:public_id>/enter", door.enter, name="ticket_enter"),
    path("t/<slug:public_id>/news", chat.news, name="ticket_news"),
    path("t/<slug:public_id>/messages", commands.messages, name="ticket_messages"),
    path("t/<slug:public_id>/request-human", commands.request_human, name="ticket_request_human"),
    path("t/<slug:public_id>/close", commands.close, name="ticket_close"),
    path("t/<slug:public_id>/reopen", commands.reopen, name="ticket_reopen"),
    path("t/<slug:public_id>/rating", commands.rating, name="ticket_rating"),
    path("t/<slug:public_id>/sign", commands.sign, name="ticket_sign"),
    path("t/<slug:public_id>/attachments/<int:attachment_id>", files.attachment, name="ticket_attachment"),
    path("t/<slug:public_id>/transcript", files.transcript, name="ticket_transcript"),
]
