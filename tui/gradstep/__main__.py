"""`python -m gradstep` is the command `gradstep`, and this is where both begin."""

import signal


def main() -> None:
    """Run the command line. Ctrl+C ends it without a word until something is begun."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from gradstep.tui.cli.main import main as run  # noqa: PLC0415  # only behind that

    run()


if __name__ == "__main__":
    main()
