"""Django's admin with our site, as an app: this file may not import models."""

from django.contrib.admin.apps import AdminConfig


class StandbyAdminConfig(AdminConfig):
    default_site = "dispatch.backoffice.site.StandbySite"
