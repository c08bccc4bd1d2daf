"""`python -m lowrankflow` is the command `lowrankflow`."""

from lowrankflow.cli import main

if __name__ == "__main__":
    main()
