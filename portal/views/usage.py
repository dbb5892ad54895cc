"""What the user's sessions consumed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from portal.authentication import SignedInRequest
from portal.running import as_they_are, cpu_by_day, present_sessions, rows, session_history, usage_totals
from portal.templatetags.madang import milliseconds

PAGE_SIZE = 50
DAYS = 30
PRICE_WORDS = {
    "cpu": gettext_lazy("CPU, an hour of a core in use"),
    "memory": gettext_lazy("Memory, a GiB in use for an hour"),
    "gpu": gettext_lazy("GPU, an hour of a device in use"),
    "gpu_memory": gettext_lazy("GPU memory, a GiB in use for an hour"),
    "time": gettext_lazy("An hour of a session, paused or not"),
    "read": gettext_lazy("A GiB read from disk"),
    "written": gettext_lazy("A GiB written to disk"),
    "received": gettext_lazy("A GiB received from the network"),
    "sent": gettext_lazy("A GiB sent to the network"),
}


@dataclass(frozen=True)
class Bar:
    """A bar of the chart, whose picture is 300 by 100."""

    x: int
    y: float
    height: float
    label: str


@login_required
@require_safe
def usage(request: SignedInRequest) -> HttpResponse:
    page = Paginator(session_history(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    present = present_sessions(request.user)
    context = {
        "page": page,
        "sessions": as_they_are(rows(request.user, page.object_list), present),
        "totals": usage_totals(request.user, present),
        "prices": prices(),
        "chart": chart(cpu_by_day(request.user, DAYS)),
    }
    return render(request, "pages/usage.html", context)


def prices() -> list[tuple[str, int]]:
    """What has a price, in words, and its price in micro-units."""
    return [(str(PRICE_WORDS[what]), micros) for what, micros in settings.MADANG_PRICES.micros.items()]


def chart(days: list[tuple[date, int]]) -> dict[str, object]:
    """The bars of ``days`` (day, CPU milliseconds), the highest as high as the picture."""
    most = max((value for _day, value in days), default=0)
    bars = []
    for place, (day, value) in enumerate(days):
        height = round(100 * value / most, 2) if most else 0.0
        bars.append(Bar(place * 10 + 1, 100 - height, height, f"{date_format(day)}: {milliseconds(value)}"))
    summary = _("most on one day: %s") % milliseconds(most)
    return {"bars": bars, "first": days[0][0], "last": days[-1][0], "summary": summary}
