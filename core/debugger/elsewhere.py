"""What people know from gdb, pdb and frameworks, and what the command is here."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # leaving and asking
        **dict.fromkeys(("exit", "bye", "logout", "kill"), "quit"),
        **dict.fromkeys(("man", "usage"), "help"),
        # moving
        **dict.fromkeys(("start", "restart", "rewind"), "goto start"),
        **dict.fromkeys(("backward", "backprop", "backpropagate"), "goto end"),
        **dict.fromkeys(("prev", "previous", "stepback"), "reverse-step"),
        **dict.fromkeys(("jump", "j", "seek"), "goto LOC"),
        **dict.fromkeys(("advance", "til"), "until LOC"),
        **dict.fromkeys(("return", "out", "stepout"), "finish"),
        **dict.fromkeys(("resume", "proceed"), "continue"),
        # stopping
        **dict.fromkeys(("rwatch", "awatch"), "watch EXPR"),
        **dict.fromkeys(("clear", "cl"), "delete N"),
        "breakpoints": "info stops",
        # looking
        **dict.fromkeys(("inspect", "pp", "x", "eval", "call"), "print EXPR"),
        **dict.fromkeys(("grad", "grads", "gradient"), "print NODE.grad"),
        **dict.fromkeys(("loss", "output"), "print NODE"),
        **dict.fromkeys(("ptype", "type", "shape", "describe"), "whatis NODE"),
        **dict.fromkeys(("backtrace", "stack", "up", "down", "frame"), "where"),
        **dict.fromkeys(("locals", "globals", "vars", "args", "ls"), "info nodes"),
        **dict.fromkeys(("variables", "nodes", "shapes", "tree"), "info nodes"),
        **dict.fromkeys(("trace", "plot"), "history EXPR"),
        "graph": "export dot FILE",
        # explaining
        **dict.fromkeys(("gradcheck", "verify", "numeric"), "check"),
        # changing
        **dict.fromkeys(("fit", "optimize", "epoch", "epochs"), "train N"),
        **dict.fromkeys(("reset", "original"), "runs 0"),
        "revert": "undo",
        "compare": "diff",
        # files
        **dict.fromkeys(("load", "exec", "script"), "source FILE"),
        "write": "save FILE",
        "log": "record",
    }
)
