"""What a terminal remembers of output that is no longer kept, so that what is kept can be replayed. Pure.

The oldest part of a terminal's log may end anywhere: inside a character, inside an escape sequence, after
the one that entered the alternate screen. :class:`Modes` is the state behind a piece of output: the modes
that are set (ECMA-48; xterm's "Control Sequences"), and the bytes of a character or sequence that the
piece has only begun. :meth:`Modes.restore` brings any terminal into that state; the rest then continues it.
The picture itself is not kept: a program on the alternate screen is asked to draw it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

RESET = b"\x18\x1bc"
"""Ends whatever sequence a terminal is in, then resets it (CAN, RIS)."""
_LONGEST_REST = 4096
_MOST = 64

_SEQUENCE = re.compile(
    rb"\x1b\[(?P<params>[0-?]*)(?P<middle>[ -/]*)(?P<final>[@-~])"
    rb"|\x1b\](?P<osc>[^\x07\x18\x1a\x1b]*)(?:[\x07\x18\x1a]|\x1b\\|(?=\x1b[^\\]))"
    rb"|\x1b[PX^_][^\x18\x1a\x1b]*(?:[\x18\x1a]|\x1b\\|(?=\x1b[^\\]))"
    rb"|\x1b(?P<charset>[()*+])(?P<set>[0-~])"
    rb"|\x1b(?P<simple>[=>c])"
    rb"|(?P<shift>[\x0e\x0f])"
)
_BEGUN = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x18\x1a\x1b]*\x1b?|[PX^_][^\x18\x1a\x1b]*\x1b?|[ -/]*)\Z")
_ALTERNATE = (b"47", b"1047", b"1049")
_MOMENTARY = (b"3", b"1048")  # a width that xterm asks before it takes; a saved cursor


@dataclass(frozen=True)
class Modes:
    """The state of a terminal that has been shown everything so far."""

    private: dict[bytes, bytes] = field(default_factory=dict)
    ansi: dict[bytes, bytes] = field(default_factory=dict)
    charsets: dict[bytes, bytes] = field(default_factory=dict)
    colours: tuple[bytes, ...] = ()
    others: dict[str, bytes] = field(default_factory=dict)
    rest: bytes = b""

    @property
    def alternate(self) -> bool:
        """Whether a program has the whole screen."""
        return any(self.private.get(mode) == b"h" for mode in _ALTERNATE)

    def after(self, data: bytes) -> Modes:
        """The state once ``data`` has been shown too."""
        data = self.rest + data
        state = replace(
            self, private=dict(self.private), ansi=dict(self.ansi), charsets=dict(self.charsets),
            others=dict(self.others),
        )  # fmt: skip
        end = 0
        for match in _SEQUENCE.finditer(data):
            state = state._take(match)
            end = match.end()
        return replace(state, rest=_begun(data, end))

    def restore(self) -> bytes:
        """What brings a terminal in any state into this one."""
        sets = [b"\x1b[?%b%b" % item for item in self.private.items()]
        sets += [b"\x1b[%b%b" % item for item in self.ansi.items()]
        sets += [b"\x1b%b%b" % item for item in self.charsets.items()]
        return b"".join((RESET, *sets, *self.others.values(), *self.colours, self.rest))

    def _take(self, match: re.Match[bytes]) -> Modes:
        found = match.groupdict()
        if found["final"]:
            return self._control(match[0], found["params"], found["middle"], found["final"])
        if found["simple"] == b"c":
            return Modes()
        if found["simple"]:
            self.others["keypad"] = match[0]
        elif found["shift"]:
            self.others["shift"] = match[0]
        elif found["charset"]:
            self.charsets[found["charset"]] = found["set"]
        elif found["osc"] and found["osc"][:2] in (b"0;", b"2;"):
            self.others["title"] = b"\x1b]" + found["osc"][:256] + b"\x07"
        return self

    def _control(self, whole: bytes, params: bytes, middle: bytes, final: bytes) -> Modes:
        if final == b"m" and not middle and params[:1] not in (b"<", b"=", b">", b"?"):
            fresh = not params or params.split(b";")[0].strip(b"0") == b""
            return replace(self, colours=(() if fresh else self.colours[-15:]) + (whole,) * bool(params.strip(b"0;")))
        if final in b"hl" and not middle:
            private = params.startswith(b"?")
            modes = self.private if private else self.ansi
            for mode in params.lstrip(b"?").split(b";"):
                if mode.isdigit() and not (private and mode in _MOMENTARY) and (len(modes) < _MOST or mode in modes):
                    modes[mode] = final
        elif final == b"r" and not middle and not params.startswith(b"?"):
            self.others["region"] = whole
        elif final == b"q" and middle == b" ":
            self.others["cursor"] = whole
        elif final == b"p" and middle == b"!":
            kept = {mode: how for mode, how in self.private.items() if mode not in (b"1", b"6", b"7", b"25")}
            return Modes(private=kept, others={name: self.others[name] for name in ("title",) if name in self.others})
        return self


def _begun(data: bytes, start: int) -> bytes:
    """The character or sequence that ``data`` ends in the middle of; what precedes ``start`` is complete."""
    if match := _BEGUN.search(data, start):
        begun = match[0]
        # A string of any length (a picture, a title) is not kept: its rest is swallowed as that of an unknown one.
        return begun if len(begun) <= _LONGEST_REST else b"\x1b]9999;" if begun[1:2] == b"]" else b"\x1bX"
    for length in (1, 2, 3):
        lead = data[-length] if len(data) - start >= length else 0
        if lead >= 0xC0:
            return data[-length:] if length < (2 if lead < 0xE0 else 3 if lead < 0xF0 else 4) else b""
        if lead < 0x80:
            break
    return b""
