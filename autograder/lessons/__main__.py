"""`python -m autograder.lessons build|check`."""

from autograder.lessons.command import main

raise SystemExit(main())
