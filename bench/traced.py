"""The product's settings, and an app that writes down when each hop was reached (bench/hops.py). For tracing rounds only."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as THEIRS

INSTALLED_APPS = [*THEIRS, "bench.hops.Hops"]
