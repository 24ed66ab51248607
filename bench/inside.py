"""Runs one function inside Django, in a process of its own: python -m bench.inside MODULE '{"argument": …}'.

Calls bench.<MODULE>.main(**arguments) and prints what it returns as one line of JSON.
"""

import json
import os
import sys
from importlib import import_module

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


if __name__ == "__main__":
    django.setup()
    print(json.dumps(import_module(f"bench.{sys.argv[1]}").main(**json.loads(sys.argv[2]))), flush=True)
