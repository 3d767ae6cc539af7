import sys

from tests.banks.blind import main

sys.exit(main())
