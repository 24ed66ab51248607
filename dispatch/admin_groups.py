"""Groups in Django admin: who may change them gives nobody, themselves included, more than they have."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from agents.admin_parts import decider
from agents.permissions import rights_beyond
from dispatch.backoffice.roles import ROLES

admin.site.unregister(Group)  # Django's own, which gives any right to whoever may change groups


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin):
    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # type: ignore[override]
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "permissions" and field is not None:
            field.queryset = field.queryset.exclude(pk__in=rights_beyond(decider(request)).values("pk"))
        return field

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._theirs(request, obj)

    def _theirs(self, request: HttpRequest, obj: Group | None) -> bool:
        """Not a group they are in, nor one that may do more than they; and a role is what the release says it is."""
        if obj is None or request.user.is_superuser:
            return True
        if obj.name in {role.group for role in ROLES.values()}:
            return False
        user = decider(request)
        beyond = rights_beyond(user).values("pk")
        return not (user.groups.filter(pk=obj.pk).exists() or obj.permissions.filter(pk__in=beyond).exists())
