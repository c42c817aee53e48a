# SPDX-License-Identifier: GPL-2.0-only
import sys

from .main import main

sys.exit(main())
