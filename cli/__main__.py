"""`python -m phasic.cli` is `phasic`."""

import sys

from phasic.cli.main import main

sys.exit(main())
