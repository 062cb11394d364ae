"""`python -m alerts …` runs the command line, which is in cli/."""

import sys

from cli.main import main
from cli.output import adapt_to_console

if __name__ == "__main__":
    adapt_to_console()
    sys.exit(main())
