"""What the REST API takes and gives, for its OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict

from sessions.lifecycle import State
from sessions.prices import PRICED


class SlotsOut(Schema):
    """What a session is granted: cores, bytes of memory and disk, devices, processes."""

    cpu: float
    memory: int
    disk: int
    gpu: float
    processes: int


class UsageOut(Schema):
    """Totals since the session began, and readings of the present (memory_kib, gpu_memory_kib, processes)."""

    cpu_ms: int
    wall_ms: int
    memory_kib_s: int
    memory_kib: int
    memory_peak_kib: int
    processes: int
    bytes_read: int
    bytes_written: int
    bytes_received: int
    bytes_sent: int
    gpu_ms: int = Field(description="Milliseconds of devices in use.")
    gpu_memory_kib_s: int
    gpu_memory_kib: int
    gpu_memory_peak_kib: int
    gpu_energy_mj: int = Field(description="Millijoules; of a shared device in proportion to the share.")


class Money(Schema):
    """An amount of money in whole micro-units, millionths of the currency's unit."""

    currency: str = Field(description="ISO 4217, such as USD.")
    micros: int


class PriceOut(Schema):
    what: str = Field(description=f"One of {', '.join(PRICED)}.")
    unit: str = Field(description="What the price is for: core-hour, GiB-hour, device-hour, hour or GiB.")
    micros: int


class PricesOut(Schema):
    """What use costs from now on. What was used before cost what it did then."""

    currency: str = Field(description="“” where this site is free.")
    prices: list[PriceOut]


class Refusal(Schema):
    """What the session's policy refused: the system call, a stable word and a sentence for why, and how often."""

    call: str
    reason: str
    detail: str
    count: int
    at: datetime = Field(description="When it was last refused.")


class Endpoints(Schema):
    events: str
    terminals: str
    jupyter: str


class SessionOut(Schema):
    id: UUID
    state: State
    reason: str
    detail: str
    image: str
    policy: str
    project: UUID | None
    slots: SlotsOut
    created: datetime
    started: datetime | None
    ended: datetime | None
    idle_timeout: int
    idle_deadline: datetime | None
    usage: UsageOut
    cost: Money | None = Field(description="So far; None where this site is free.")
    refusals: list[Refusal] = Field(description="The latest first; empty for most sessions.")
    endpoints: Endpoints


class SessionDetail(SessionOut):
    wall: dict[State, int] = Field(description="Milliseconds in each state so far; pending is the time in the queue.")


class SessionPage(Schema):
    items: list[SessionOut]
    count: int = Field(description="How many there are in all.")


class SlotsIn(Schema):
    """What is not given is the image's."""

    model_config = ConfigDict(extra="forbid")
    cpu: float | None = None
    memory: int | None = None
    disk: int | None = None
    gpu: float | None = None
    processes: int | None = None


class SessionIn(Schema):
    model_config = ConfigDict(extra="forbid")
    image: str | None = Field(None, max_length=100, description="By default the project's.")
    project: UUID | None = None
    slots: SlotsIn | None = None
    policy: str | None = Field(None, max_length=40, description="The image's, or a stricter one such as “strict”.")
    idle_timeout: int | None = Field(None, description="Seconds without input and computation until it ends.")


class KernelOut(Schema):
    name: str
    display_name: str
    language: str


class LanguageOut(Schema):
    """A language that programs may be written in. ``{main}`` in the shell commands stands for the program's file."""

    name: str
    title: str
    extensions: list[str]
    build: str
    run: str
    format: str = Field(description="Reads a text and prints it well laid out; “” for none.")


class ServerOut(Schema):
    """A language server: what the editor asks about files with these extensions."""

    language: str
    extensions: list[str]


class ImageOut(Schema):
    name: str
    title: str
    summary: str
    kernels: list[KernelOut]
    languages: list[LanguageOut]
    servers: list[ServerOut] = Field(description="Those that this site has.")
    extensions: list[str]
    slots: SlotsOut


class Counted(Schema):
    cpu_ms: int
    wall_ms: int
    memory_kib_s: int
    bytes_read: int
    bytes_written: int
    bytes_received: int
    bytes_sent: int
    gpu_ms: int
    gpu_memory_kib_s: int
    gpu_energy_mj: int
    cost: Money | None


class SessionUsage(Counted):
    session: UUID
    image: str
    project: UUID | None
    state: State
    created: datetime
    ended: datetime | None
    memory_peak_kib: int
    gpu_memory_peak_kib: int


class UsagePage(Schema):
    total: Counted
    items: list[SessionUsage]
    count: int
