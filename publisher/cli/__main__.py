"""`python -m publisher.cli` is the command without its script."""

from publisher.cli.main import main

raise SystemExit(main())
