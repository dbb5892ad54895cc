"""Sessions in Django's admin: to look at, never to change."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from sessions.models import Kernel, Session, Transition, UsageLine


class ReadOnly:
    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TransitionInline(ReadOnly, admin.TabularInline):
    model = Transition


class UsageLineInline(ReadOnly, admin.TabularInline):
    model = UsageLine


class KernelInline(ReadOnly, admin.TabularInline):
    model = Kernel


@admin.register(Session)
class SessionAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "user", "image", "state", "reason", "created", "ended")
    list_filter = ("state", "image")
    search_fields = ("id", "user__email")
    date_hierarchy = "created"
    inlines = (TransitionInline, UsageLineInline, KernelInline)
