"""Tickets that are put aside, and those that were ended as spam or abuse."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0011_erased"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="ticket",
            name="ticket_state_known",
        ),
        migrations.RemoveConstraint(
            model_name="ticket",
            name="ticket_practice_never_waits",
        ),
        migrations.AddField(
            model_name="ticket",
            name="ended_as",
            field=models.CharField(
                blank=True,
                choices=[("spam", "spam"), ("abuse", "abuse")],
                db_default="",
                default="",
                editable=False,
                max_length=10,
                verbose_name="ended as",
            ),
        ),
        migrations.AddField(
            model_name="ticket",
            name="front_since",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="in front of the queue since"
            ),
        ),
        migrations.AddField(
            model_name="ticket",
            name="wakes_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="put aside until"),
        ),
        migrations.AlterField(
            model_name="ticket",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "waiting"),
                    ("held", "held"),
                    ("asleep", "put aside"),
                    ("resolved", "resolved"),
                    ("closed", "closed"),
                ],
                default="waiting",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["waiting", "held", "asleep", "resolved", "closed"])),
                name="ticket_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "held"),
                    models.Q(("state", "asleep"), ("wakes_at__isnull", False)),
                    models.Q(models.Q(("state", "asleep"), _negated=True), ("wakes_at__isnull", True)),
                    _connector="OR",
                ),
                name="ticket_sleeps_until_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended_as", ""), ("state", "closed"), _connector="OR"),
                name="ticket_ended_as_is_closed",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("channel", "practice"), ("state__in", ["waiting", "asleep"]), _negated=True
                ),
                name="ticket_practice_never_waits",
            ),
        ),
    ]
