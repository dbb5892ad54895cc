"""Who has which devices. Pure.

Fractions go where least is left that still holds them, so that they fill devices which others have begun and leave
whole devices whole. Whole devices are granted next to each other where there is such a row: neighbours in the
driver's order mostly share a switch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sandbox.gpu import HUNDRED, Device, Share, hundredths


class Board:
    """The devices of a place, and the shares of them that are granted."""

    def __init__(self, devices: Sequence[Device] = ()) -> None:
        self._devices = list(devices)
        self._granted: dict[str, tuple[Share, ...]] = {}

    def possible(self, gpu: float) -> bool:
        """Whether so much could be granted if nobody else were here."""
        return hundredths(gpu) <= HUNDRED * len(self._devices)

    def fits(self, gpu: float) -> bool:
        return self._choose(hundredths(gpu)) is not None

    def take(self, id: str, gpu: float) -> tuple[Share, ...]:
        """Grant ``gpu`` to ``id``.

        Raises:
            ValueError: it does not fit, or ``id`` has some already.
        """
        wanted = hundredths(gpu)
        devices = self._choose(wanted)
        if devices is None or id in self._granted:
            raise ValueError(f"{gpu} of gpu cannot be granted to {id}")
        part = min(wanted, HUNDRED)
        shares = tuple(Share(device.uuid, part, device.memory, device.node) for device in devices)
        self.restore(id, shares)
        return shares

    def restore(self, id: str, shares: Iterable[Share]) -> None:
        """Count what ``id`` has already, even where it is more than there is."""
        if granted := tuple(shares):
            self._granted[id] = granted

    def release(self, id: str) -> None:
        """Take back what ``id`` has; nothing where it has none."""
        self._granted.pop(id, None)

    def shares(self, id: str) -> tuple[Share, ...]:
        return self._granted.get(id, ())

    def free(self) -> dict[str, int]:
        """Hundredths that are left of each device; negative where more was restored than there is."""
        left = dict.fromkeys((device.uuid for device in self._devices), HUNDRED)
        for shares in self._granted.values():
            for share in shares:
                if share.uuid in left:
                    left[share.uuid] -= share.part
        return left

    def _choose(self, wanted: int) -> list[Device] | None:
        free = self.free()
        if wanted == 0:
            return []
        if wanted < HUNDRED:
            able = [device for device in self._devices if free[device.uuid] >= wanted]
            return [min(able, key=lambda device: free[device.uuid])] if able else None
        return self._whole(wanted // HUNDRED, [free[device.uuid] == HUNDRED for device in self._devices])

    def _whole(self, count: int, untouched: list[bool]) -> list[Device] | None:
        """``count`` untouched devices: the shortest row of neighbours that holds them, or any of them."""
        rows = _rows(untouched)
        if able := [row for row in rows if len(row) >= count]:
            chosen = min(able, key=len)[:count]
        else:
            chosen = [index for row in sorted(rows, key=len, reverse=True) for index in row][:count]
        return [self._devices[index] for index in sorted(chosen)] if len(chosen) == count else None


def _rows(untouched: list[bool]) -> list[list[int]]:
    """The numbers of neighbours that are all untouched, row by row."""
    rows: list[list[int]] = [[]]
    for index, free in enumerate(untouched):
        if free:
            rows[-1].append(index)
        elif rows[-1]:
            rows.append([])
    return [row for row in rows if row]
