# `make report` and `make test` set up what they need first; nothing else has to be run before them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready

.DEFAULT_GOAL := help
.PHONY: help report test check lab spark bench lock fonts sample messages docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: $(RUN_READY) ## Write the sample company's management report under reports/
	$(BIN)/kamlab report

test: $(DEV_READY) ## Run all tests
	$(BIN)/python -m pytest -q -rs -n 2 --dist loadscope --nbval-lax --nbval-current-env tests notebooks

check: $(DEV_READY) ## Lint, types, import directions, notebooks without outputs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

lab: $(RUN_READY) ## Open the notebooks in JupyterLab
	$(BIN)/kamlab lab

spark: $(RUN_READY) ## Install Spark, for logs that outgrow one machine; it needs Java 17
	PIP_DISABLE_PIP_VERSION_CHECK=1 sh scripts/install.sh $(BIN)/python requirements/spark.txt

bench: $(DEV_READY) ## Time a whole report step by step, the summary, and the models' fits and forecasts
	$(BIN)/python benchmarks/report_steps.py
	$(BIN)/python benchmarks/documents.py
	$(BIN)/python benchmarks/summary_scale.py --lifetimes
	$(BIN)/python benchmarks/clv_fit.py
	$(BIN)/python benchmarks/clv_scale.py
	$(BIN)/python benchmarks/account_plans.py

sample: $(DEV_READY) ## Make data/sample/ anew from its seed
	$(BIN)/python -m kamlab.simulate data/sample

fonts: $(DEV_READY) ## Subset the report's fonts anew
	$(BIN)/python scripts/make_fonts.py

messages: $(DEV_READY) ## Bring the message catalogue up to date
	$(BIN)/python scripts/messages.py

docs: $(DEV_READY) ## Write docs/data-dictionary.md and docs/coverage.md from the code
	$(BIN)/python scripts/data_dictionary.py
	$(BIN)/python scripts/coverage_page.py

lock: $(DEV_READY) ## Resolve the requirements anew
	$(BIN)/python scripts/lock.py

clean: ## Remove the virtual environment and all drafts
	rm -rf $(VENV) reports/.draft

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "kamlab needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 report")'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_READY): requirements/run.txt requirements/uv.txt pyproject.toml | $(BIN)/python
	PIP_DISABLE_PIP_VERSION_CHECK=1 sh scripts/install.sh $(BIN)/python requirements/run.txt
	touch $@

$(DEV_READY): requirements/dev.txt $(RUN_READY)
	PIP_DISABLE_PIP_VERSION_CHECK=1 sh scripts/install.sh $(BIN)/python requirements/dev.txt
	touch $@
