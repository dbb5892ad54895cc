"""What a terminal remembers of output that is no longer kept, so that what is kept can be replayed. Pure.

The oldest part of a terminal's log may end anywhere: inside a character, inside an escape sequence, after
the one that entered the alternate screen. :class:`Modes` is the state behind a piece of output: the modes
that are set (ECMA-48; xterm's "Control Sequences"), and the bytes of a character or sequence that the
piece has only begun. :meth:`Modes.restore` brings any terminal into that state; the rest then continues it.
The picture itself is not kept: a program on the alternate screen is asked to draw it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

RESET = b"\x18\x1bc"
"""Ends whatever sequence a terminal is in, then resets it (CAN, RIS)."""
_LONGEST_REST = 4096
_MOST = 64
_COLOURS = 16

# Each begins with the same byte, so that plain text is skipped at the speed of memory; colours are looked up alone.
_ESCAPE = (
    rb"\x1b\[(?P<params>[0-?]*)(?P<middle>[ -/]*)(?P<final>[hlpqr])"
    rb"|\x1b\](?P<osc>[^\x07\x18\x1a\x1b]*)(?:[\x07\x18\x1a]|\x1b\\|(?=\x1b[^\\]))"
    rb"|\x1b[PX^_][^\x18\x1a\x1b]*(?:[\x18\x1a]|\x1b\\|(?=\x1b[^\\]))"
    rb"|\x1b(?P<charset>[()*+])(?P<set>[0-~])"
    rb"|\x1b(?P<simple>[=>c])"
)
_SEQUENCE = re.compile(_ESCAPE)
_SEQUENCE_OR_SHIFT = re.compile(_ESCAPE + rb"|(?P<shift>[\x0e\x0f])")
_COLOUR = re.compile(rb"\x1b\[(?![<=>?])([0-?]*)m")
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
        end = reset = 0
        for match in _sequences(data):
            former, state = state, state._take(match)
            end = match.end()
            reset = reset if state is former else end
        return replace(state, colours=_colours(state.colours, data, reset), rest=_begun(data, end))

    def restore(self) -> bytes:
        """What brings a terminal in any state into this one."""
        sets = [b"\x1b[?%b%b" % item for item in self.private.items()]
        sets += [b"\x1b[%b%b" % item for item in self.ansi.items()]
        sets += [b"\x1b%b%b" % item for item in self.charsets.items()]
        return b"".join((RESET, *sets, *self.others.values(), *self.colours, self.rest))

    def _take(self, match: re.Match[bytes]) -> Modes:
        match match.lastgroup:
            case "final":
                return self._control(match[0], match["params"], match["middle"], match["final"])
            case "simple" if match["simple"] == b"c":
                return Modes()
            case "simple":
                self.others["keypad"] = match[0]
            case "shift":
                self.others["shift"] = match[0]
            case "set":
                self.charsets[match["charset"]] = match["set"]
            case "osc" if match["osc"][:2] in (b"0;", b"2;"):
                self.others["title"] = b"\x1b]" + match["osc"][:256] + b"\x07"
        return self

    def _control(self, whole: bytes, params: bytes, middle: bytes, final: bytes) -> Modes:
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


def _sequences(data: bytes) -> Iterator[re.Match[bytes]]:
    """What sets a mode in ``data``, colours aside."""
    shifts = b"\x0e" in data or b"\x0f" in data
    return (_SEQUENCE_OR_SHIFT if shifts else _SEQUENCE).finditer(data)


def _colours(former: tuple[bytes, ...], data: bytes, start: int) -> tuple[bytes, ...]:
    """The colours behind ``data``, which knows of none before ``start`` but ``former``.

    They are looked for from the end, where few tell all: an escape ends any string, so one is a colour wherever it is.
    """
    found: list[bytes] = []
    at = len(data)
    while len(found) < _COLOURS and (at := data.rfind(b"\x1b[", start, at)) >= 0:
        if match := _COLOUR.match(data, at):
            params = match[1]
            if params.strip(b"0;"):
                found.append(match[0])
            if not params.split(b";", 1)[0].strip(b"0"):  # it begins with a reset of all colours
                former = ()
                break
    return (*former, *reversed(found))[-_COLOURS:]


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
