# Two commands matter: `make demo` and `make test`. Both make their environment themselves.
# Programs are called as `python -m …`: the scripts in .venv/bin carry the path of the folder in which they were made.

PY := .venv/bin/python
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset test check bench lock messages

help: ## what there is
	@echo "Standby: tickets to agents, live."
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'
	@echo "Settings: PORT (8000), STANDBY_HOME (.standby), DEMO_TRAFFIC=0, PYTHON, CHROMIUM."

setup: ## .venv from the locked requirements, message catalogues
	@.ci/setup

demo: setup ## everything on this machine, with live example data, until Ctrl-C
	@exec $(PY) -m config.demo --with-parent

demo-reset: setup ## empty the demo's data
	@$(PY) -m config.demo reset

test: setup ## all tests, real servers and browser included; ARGS="-k name" narrows
	@.ci/chromium
	@exec $(PY) -m pytest -n 2 --dist loadfile $(ARGS)

check: setup ## format, lint, types, arrows between apps, migrations
	@.ci/check

bench: setup ## measurements beside their floors; ARGS go to it
	@exec $(PY) -m bench $(ARGS)

lock: setup ## both lock files anew from pyproject.toml; UPGRADE=1 takes the newest versions
	@UPGRADE=$(UPGRADE) .ci/lock

messages: setup ## compile the message catalogues
	@$(PY) -m config.catalogues
