"""Addresses of the agents' rights."""

from django.urls import path, re_path

from dispatch.views.rights import data, decided, going, judged, page

urlpatterns = [
    path("", page.rights_page, name="rights"),
    path("ask", page.ask, name="rights_ask"),
    path("decisions", decided.decided, name="rights_decisions"),
    re_path(r"^contest/(?P<kind>rating|review)/(?P<of>\d{1,18})$", judged.contest, name="rights_contest"),
    path("reviews", judged.peer_list, name="rights_reviews"),
    path("reviews/<int:review_id>", judged.peer, name="rights_review"),
    path("data", data.export, name="rights_export"),
    path("data/<slug:token>.zip", data.download, name="rights_download"),
    path("leave", going.going, name="rights_going"),
    re_path(r"^leave/(?P<action>leave|come-back|erase|withdraw)$", going.go, name="rights_go"),
]
