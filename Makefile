# Two commands matter: `make demo` and `make test`. Both make their environment themselves.
# Programs are called as `python -m …`: the scripts in .venv/bin carry the path of the folder in which they were made.

PY := .venv/bin/python
SHELL := /bin/sh
.DEFAULT_GOAL := help
# Where it is set each process compiles all of the product as it starts, for a quarter of a second or more.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup demo demo-reset cluster manage test check bench lock messages sbom reference

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

cluster: setup ## the process set of production by hand: proxy, two web, two matchers, two workers, simulator, beat; until Ctrl-C
	@.ci/nginx
	@exec $(PY) -m config.cluster --with-parent

manage: setup ## a manage.py command: make manage ARGS=doctor
	@exec $(PY) manage.py $(ARGS)

test: setup ## all tests, real servers and browser included; ARGS="-k name" narrows
	@.ci/chromium
	@.ci/nginx
	@exec $(PY) -m pytest -n 3 --max-worker-restart 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup ## format, lint, types, arrows between apps, migrations
	@.ci/check

bench: setup ## measurements beside their floors; ARGS go to it
	@exec $(PY) -m bench $(ARGS)

lock: setup ## all three lock files anew from pyproject.toml; UPGRADE=1 takes the newest versions
	@UPGRADE=$(UPGRADE) .ci/lock

reference: setup ## .env.example and docs/reference/ anew, from the code
	@$(PY) -m config.reference

sbom: setup ## what an installation is made of, as CycloneDX, to sbom.json
	@$(PY) -m cyclonedx_py requirements requirements.txt --output-format JSON --output-file sbom.json
	@echo sbom.json

messages: setup ## compile the message catalogues
	@$(PY) -m config.catalogues
