"""How long a route lets tickets be put aside; endings as spam or abuse."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0022_promise"),
        ("tickets", "0013_wakes_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="route",
            name="snooze_hours",
            field=models.PositiveSmallIntegerField(
                db_default=168,
                default=168,
                help_text="At the most. 0: not at all.",
                validators=[django.core.validators.MaxValueValidator(1440)],
                verbose_name="hours for which a ticket can be put aside",
            ),
        ),
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
                choices=[
                    ("nobody_left", "nobody left"),
                    ("escalation", "escalation"),
                    ("abuse", "ended as abuse"),
                    ("inquiry", "question of an agent"),
                    ("contest", "contest"),
                    ("overdue", "contest overdue"),
                    ("answer_late", "promised answer late"),
                ],
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="Misuse",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("spam", "spam"), ("abuse", "abuse")], max_length=10, verbose_name="kind"
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                ("address", models.EmailField(blank=True, max_length=254, verbose_name="customer's address")),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="ended",
                    ),
                ),
                (
                    "settled_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="settled"),
                ),
                (
                    "confirmed",
                    models.BooleanField(blank=True, editable=False, null=True, verbose_name="confirmed"),
                ),
                ("answer", models.TextField(blank=True, verbose_name="answer")),
                (
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="dispatch.offer",
                        verbose_name="offer",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="settled by",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="misuses",
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
            ],
            options={
                "verbose_name": "ending as spam or abuse",
                "verbose_name_plural": "endings as spam or abuse",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=("ticket",),
                        name="misuse_one_open_a_ticket",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("confirmed__isnull", True),
                                ("settled_at__isnull", True),
                                ("settled_by__isnull", True),
                            ),
                            models.Q(
                                ("confirmed__isnull", False),
                                ("settled_at__isnull", False),
                                ("settled_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="misuse_settled_by_somebody",
                    ),
                ],
            },
        ),
    ]
