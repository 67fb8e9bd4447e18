"""The members of a zip file, stored and never packed, read as from a stranger.

```
members(file, …)   the table of contents: where each member begins and ends
ArrayPlace.of(…)   what the header of an .npy member says, before its numbers are read
```

Nothing is mapped into memory: a file that shrinks under a mapping ends the process,
whenever its pages are touched, and no check before it can prevent that. A read says
that there is no more, so the numbers of a member are read when they are looked at.
"""

from __future__ import annotations

import math
import os
import re
import struct
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn
from weakref import finalize

import numpy as np

from ..base.errors import InputError, Problem
from ..base.text import clean, counted
from ..words.numbers import shape_text

if TYPE_CHECKING:
    from io import BufferedReader

    from ..ops.table import Array, Shape

_END: Final = struct.Struct("<4s4H2LH")  # of a zip file
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")  # of the record before
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")  # of the table of contents
_LOCAL: Final = struct.Struct("<4s5H3L2H")  # before each member
_LARGE: Final = 0xFFFFFFFF  # a number that stands in the extra field instead
_LONGEST_NAME: Final = 200  # bytes
_LONGEST_START: Final = 1024  # bytes of a local header and an .npy header
_PIECE: Final = 2**16  # bytes that are read at once where many members may begin
_LONGEST_SHOWN: Final = 80
_NPY: Final = re.compile(
    rb"\x93NUMPY\x01\x00(..)\{'descr': '([<>=|]?[A-Za-z]\d*)', "
    rb"'fortran_order': (True|False), 'shape': \((?:|[\d, ]{1,400})\), \} *\n",
    re.DOTALL,
)
_WORDS: Final = "|b1 |i1 |u1 <i2 <u2 <i4 <u4 <i8 <u8 <f2 <f4 <f8"
_DTYPES: Final = {word.encode(): np.dtype(word) for word in _WORDS.split()}


class Member(NamedTuple):
    """One member, as the table of contents has it."""

    name: str  # "values/12.npy"
    header: int  # where its local header begins, in bytes
    size: int  # of its contents, in bytes


class ArrayPlace(NamedTuple):
    """Where the numbers of an array stand in the file, and what they are."""

    member: str  # its name
    start: int  # of the first number, in bytes from the start of the file
    shape: Shape  # as its header has it
    dtype: np.dtype[Any]  # one of those that a capture may have
    is_fortran: bool  # whether the first axis varies fastest


@dataclass(eq=False)
class Opened:
    """A file that is open, and was so large and so old when it was opened.

    It is read by the screen and by commands in the background at the same time.
    """

    file: BufferedReader  # open for reading as long as anybody has one of its arrays
    shown: str  # what messages call it

    def __post_init__(self) -> None:
        self._lock = Lock()
        finalize(self, self.file.close)  # with the last array that may be looked at
        self.size, self._time = self._state()
        self._piece = 0, b""  # of the file: where it begins, and its bytes

    def _state(self) -> tuple[int, int]:
        state = os.fstat(self.file.fileno())
        return state.st_size, state.st_mtime_ns

    def fill(self, start: int, room: memoryview | bytearray, member: str) -> None:
        """Fill `room` with the bytes from `start` on; all of them, or `InputError`."""
        with self._lock:
            try:
                self.file.seek(start)
                read = self.file.readinto(room)
            except OSError as error:
                self.refuse(member, f"cannot be read: {error.strerror}")
        if read != len(room) or self._state() != (self.size, self._time):
            hint = "open it again; a file is replaced safely by a new one of its name"
            self.refuse(member, "has changed since it was opened", hint)

    def read(self, start: int, size: int, member: str = "") -> bytearray:
        """Return some bytes, all of them, or raise `InputError`."""
        room = bytearray(size)
        self.fill(start, room, member)
        return room

    def start_of(self, start: int, size: int, member: str) -> bytes:
        """Return the first bytes of a member; many small ones lie in one piece."""
        at, piece = self._piece
        if not at <= start <= start + size <= at + len(piece):
            at, most = start, min(max(size, _PIECE), self.size - start)
            piece = bytes(self.read(start, most, member))
            self._piece = at, piece
        return piece[start - at :][:size]

    def array(self, place: ArrayPlace) -> Array:
        """Return the numbers of an array, read-only."""
        found = np.empty(math.prod(place.shape), place.dtype)
        if found.size:
            self.fill(place.start, found.view(np.uint8).data, place.member)
        found = found.reshape(place.shape, order="F" if place.is_fortran else "C")
        found.setflags(write=False)
        return found

    def refuse(self, member: str, message: str, hint: str = "") -> NoReturn:
        """Raise the `InputError` of one member; "" is the file itself."""
        place = f"{self.shown}, {short(member)}" if member else self.shown
        raise InputError(Problem(message, hint, place))


def short(name: object) -> str:
    """Return a text of the file, made harmless, on one line, and not too long."""
    line = clean(" ".join(str(name).split()))
    return line if len(line) <= _LONGEST_SHOWN else f"{line[: _LONGEST_SHOWN - 1]}…"


# ------------------------------------------------------------------ table of contents


def members(opened: Opened, most: int, allowed: str) -> dict[str, Member]:
    """Return the members of a zip file by their names, `most` of them at most.

    `allowed` is the way out where there are more.
    Raises `InputError` where it is none, or where one of them is packed, encrypted,
    there twice or larger than the file.
    """
    count, size, start = _directory(opened)
    if count > most:
        opened.refuse("", f"has {counted(count, 'member')}", allowed)
    if start + size > opened.size or size > count * (_ENTRY.size + 4 * _LONGEST_NAME):
        opened.refuse("", "is damaged: its table of contents is not where it should be")
    table = bytes(opened.read(start, size))
    found: dict[str, Member] = {}
    at = total = 0
    for _ in range(count):
        member, at = _entry(opened, table, at)
        if member.name in found:
            opened.refuse(member.name, "is there twice")
        found[member.name] = member
        total += member.size
    if total > opened.size:
        opened.refuse("", "is damaged: its members are larger together than the file")
    return found


def _directory(opened: Opened) -> tuple[int, int, int]:
    """Return how many entries the table of contents has, its size and its start."""
    room = min(opened.size, _END.size + 0xFFFF)
    tail = bytes(opened.read(opened.size - room, room))
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _END.size > len(tail):
        hint = "gradstep capture writes one"
        opened.refuse("", "is no capture: it is not a zip file", hint)
    _, disk, _, _, count, size, start, _ = _END.unpack_from(tail, at)
    before = at - _LOCATOR.size
    if before >= 0 and tail[before : before + 4] == b"PK\6\7":
        _, _, place, _ = _LOCATOR.unpack_from(tail, before)
        if place + _END64.size > opened.size:
            opened.refuse("", "is damaged: its end is not where it should be")
        record = bytes(opened.read(place, _END64.size))
        if record[:4] != b"PK\6\6":
            opened.refuse("", "is damaged: its end is not where it should be")
        _, _, _, _, disk, _, _, count, size, start = _END64.unpack(record)
    if disk:
        opened.refuse("", "is one part of several, and those are not read")
    return count, size, start


def _entry(opened: Opened, table: bytes, at: int) -> tuple[Member, int]:
    """Return the member of an entry, and where the next entry begins."""
    if len(table) < at + _ENTRY.size or table[at : at + 4] != b"PK\1\2":
        opened.refuse("", "is damaged: its table of contents ends too early")
    fields = _ENTRY.unpack_from(table, at)
    flags, packing, packed, size = fields[3], fields[4], fields[8], fields[9]
    length, extra, comment, header = (*fields[10:13], fields[-1])
    behind = at + _ENTRY.size + length
    raw = table[at + _ENTRY.size : behind]
    name = raw.decode("utf-8", "replace")
    if not 0 < length <= _LONGEST_NAME:
        hint = f"allowed: {_LONGEST_NAME} at most"
        opened.refuse(name, f"has a name of {counted(length, 'byte')}", hint)
    if _LARGE in (packed, size, header):
        size, packed, header = _large(
            table[behind : behind + extra], size, packed, header
        )
    if flags & 1:
        opened.refuse(name, "is encrypted", "members are stored as they are")
    if packing or packed != size:
        opened.refuse(name, "is packed", "members are stored, not deflated")
    return Member(name, header, size), behind + extra + comment


def _large(extra: bytes, *numbers: int) -> list[int]:
    """Return the numbers of an entry, those of 64 bits from its extra field."""
    at, held = 0, b""
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            held = extra[at + 4 : at + 4 + length]
        at += 4 + length
    words = iter(struct.unpack(f"<{len(held) // 8}Q", held[: len(held) // 8 * 8]))
    return [next(words, one) if one == _LARGE else one for one in numbers]


# -------------------------------------------------------------------------- contents


def text_of(opened: Opened, member: Member, most: int, allowed: str) -> str:
    """Return the text of a member, of `most` bytes; `allowed` is the way out."""
    if member.size > most:
        opened.refuse(member.name, f"has {counted(member.size, 'byte')}", allowed)
    start, _ = _contents(opened, member, 0)
    try:
        return opened.read(start, member.size, member.name).decode("utf-8")
    except UnicodeDecodeError as error:
        opened.refuse(member.name, f"is not text in UTF-8: byte {error.start}")


def array_place(
    opened: Opened, member: Member, known: dict[bytes, tuple[Shape, Any, bool]]
) -> ArrayPlace:
    """Return where the array of an .npy member stands; its numbers are not read.

    `known` remembers the headers that were met before: many arrays are of one kind.
    """
    start, head = _contents(opened, member, _LONGEST_START)
    length = int.from_bytes(head[8:10], "little") + 10
    header = head[:length]
    found = known.get(header)
    if found is None:
        found = known[header] = _header(opened, member.name, header, length)
    shape, dtype, is_fortran = found
    size = math.prod(shape) * dtype.itemsize
    if member.size != length + size:
        message = f"has {counted(member.size - length, 'byte')} of numbers"
        hint = f"{dtype} {shape_text(shape)} takes {size}"
        opened.refuse(member.name, message, hint)
    return ArrayPlace(member.name, start + length, shape, dtype, is_fortran)


def _contents(opened: Opened, member: Member, some: int) -> tuple[int, bytes]:
    """Return where the contents of a member begin, and `some` bytes at most of them."""
    name = member.name
    room = min(_LONGEST_START, max(0, opened.size - member.header))
    if room < _LOCAL.size:
        opened.refuse(name, "is damaged: it begins behind the end of the file")
    head = opened.start_of(member.header, room, name)
    fields = _LOCAL.unpack_from(head)
    length, extra = fields[-2:]
    if fields[0] != b"PK\3\4" or head[_LOCAL.size :][:length] != name.encode():
        opened.refuse(name, "is damaged: it is not where the table of contents says")
    skip = _LOCAL.size + length + extra
    start = member.header + skip
    if start + member.size > opened.size:
        opened.refuse(name, "is damaged: it ends behind the end of the file")
    wanted = min(some, member.size)
    if wanted and skip + wanted > len(head):
        return start, opened.start_of(start, wanted, name)
    return start, head[skip : skip + wanted]


def _header(
    opened: Opened, name: str, header: bytes, length: int
) -> tuple[Shape, np.dtype[Any], bool]:
    found = _NPY.fullmatch(header)
    if not found or len(header) != length:
        hint = "numpy.save writes one, in version 1.0, of numbers and never of objects"
        opened.refuse(name, "is no .npy array", hint)
    dtype = _DTYPES.get(found[2])
    if dtype is None:
        listed = ", ".join(one.decode() for one in _DTYPES)
        opened.refuse(name, f"holds {short(found[2].decode())}", f"allowed: {listed}")
    numbers = header[header.rindex(b"(") + 1 : header.rindex(b")")].decode()
    try:
        shape = tuple(int(part) for part in numbers.split(",") if part.strip())
    except ValueError:
        opened.refuse(name, "has a shape that is none")
    return shape, dtype, found[3] == b"True"
