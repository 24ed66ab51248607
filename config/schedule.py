"""What Celery beat asks for, and how often. Each task is safe to run twice or late; what it expires after is no loss."""

from celery.schedules import crontab

# Who is alive, by kind of process: each queue is asked as its work comes to it (dispatch/pulse.py). Twice too late is late.
PULSE = 10.0  # seconds
_QUEUES = {"matcher": "match", "worker": "default", "simulator": "simulate"}

BEAT = {
    **{
        f"pulse_{kind}": {
            "task": "dispatch.tasks.pulse_answer",
            "schedule": PULSE,
            "args": (kind,),
            "options": {"queue": queue, "expires": PULSE},
        }
        for kind, queue in _QUEUES.items()
    },
    "tick": {"task": "dispatch.tasks.tick", "schedule": 1.0, "options": {"expires": 5}},
    "places": {"task": "dispatch.tasks.places", "schedule": 5.0, "options": {"expires": 10}},
    "standings": {"task": "dispatch.tasks.standings", "schedule": 60.0, "options": {"expires": 60}},
    "qualities": {"task": "dispatch.tasks.qualities", "schedule": 300.0, "options": {"expires": 300}},
    "erasing": {
        "task": "dispatch.tasks.erase_due",
        "schedule": crontab(minute="31"),
        "options": {"expires": 600},
    },
    "simulations": {
        "task": "dispatch.tasks.simulations_look",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "calls": {"task": "dispatch.tasks.calls_look", "schedule": 30.0, "options": {"expires": 30}},
    "hours": {"task": "dispatch.tasks.hours_release", "schedule": 30.0, "options": {"expires": 30}},
    "answers": {"task": "dispatch.tasks.answers_look", "schedule": 5.0, "options": {"expires": 10}},
    "promise": {"task": "dispatch.tasks.promise_days", "schedule": 60.0, "options": {"expires": 60}},
    "halves": {"task": "dispatch.tasks.halves_count", "schedule": 5.0, "options": {"expires": 10}},
    "alerts": {"task": "dispatch.tasks.alerts_mail", "schedule": 5.0, "options": {"expires": 10}},
    "mail": {"task": "tickets.tasks.mail_due", "schedule": 5.0, "options": {"expires": 10}},
    "mail_away": {"task": "tickets.tasks.mail_away", "schedule": 10.0, "options": {"expires": 20}},
    "mail_fetch": {"task": "tickets.tasks.mail_fetch", "schedule": 30.0, "options": {"expires": 30}},
    "webhooks": {"task": "dispatch.tasks.webhooks_send", "schedule": 2.0, "options": {"expires": 5}},
    "webhooks_log": {
        "task": "dispatch.tasks.webhooks_forget",
        "schedule": crontab(minute="47"),
        "options": {"expires": 600},
    },
    "letters": {"task": "agents.tasks.letters_due", "schedule": 5.0, "options": {"expires": 10}},
    # By the clock: counted from its own start, a beat that is restarted often would never come to it.
    "files": {
        "task": "tickets.tasks.files_sweep",
        "schedule": crontab(minute="23"),
        "options": {"expires": 600},
    },
    "retention": {
        "task": "tickets.tasks.retention",
        "schedule": crontab(minute="3"),
        "options": {"expires": 600},
    },
    # Each morning's is made once; asked for hourly, since a night's message may be lost.
    "forecast": {
        "task": "dispatch.tasks.forecast",
        "schedule": crontab(minute="7"),
        "options": {"expires": 3000},
    },
    "triage": {
        "task": "tickets.tasks.triage_train",
        "schedule": crontab(hour="2", minute="37"),
        "options": {"expires": 3600},
    },
    "bonuses": {
        "task": "dispatch.tasks.bonuses",
        "schedule": crontab(minute="53"),
        "options": {"expires": 600},
    },
    "applications": {
        "task": "agents.tasks.applications_forget",
        "schedule": crontab(minute="11"),
        "options": {"expires": 600},
    },
    "snapshots": {
        "task": "dispatch.tasks.snapshots",
        "schedule": crontab(minute="41"),
        "options": {"expires": 600},
    },
}
