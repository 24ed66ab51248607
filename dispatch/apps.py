from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DispatchConfig(AppConfig):
    name = "dispatch"
    verbose_name = _("Dispatch")

    def ready(self) -> None:
        from agents.pay import sealing  # noqa: PLC0415  needs the models
        from dispatch import listeners  # noqa: F401, PLC0415  connects the two signals once the apps are loaded
        from dispatch.models import WebhookEndpoint  # noqa: PLC0415

        sealing.SEALED += [(WebhookEndpoint, "secret_sealed"), (WebhookEndpoint, "old_secret_sealed")]
