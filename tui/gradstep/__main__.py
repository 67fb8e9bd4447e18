"""`python -m gradstep` is the command `gradstep`."""

from gradstep.tui.cli.main import main

if __name__ == "__main__":
    main()
