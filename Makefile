# Everything a developer or CI runs. What is made lands in bin/ and build/, which git ignores; nothing is installed elsewhere.

VERSION   ?= 0.1.0
CYCLES    ?= 50
SEEDS     ?= 2000
PROVIDERS := aws github
TOOLS     := build/tools
PUBLISHED := tools/buf/published.binpb

# A provider's digest is recorded at its first use, so that the same source must give the same binary: no paths, no commit in it.
GO_BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-X main.version=$(VERSION)"
plugin   = build/plugins/$(1)/$(VERSION)/mgraph-provider-$(1)

.DEFAULT_GOAL := help
.PHONY: help build demo test bench crash simulate planted reliability generate verify publish lint vet fmt-check python postgres tools clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile

build: ## Build the host into bin/ and the providers into build/plugins/
	$(GO_BUILD) -o bin/mgraph-deploy ./cmd/mgraph-deploy
	$(foreach name,$(PROVIDERS),$(GO_BUILD) -o $(call plugin,$(name)) ./cmd/mgraph-provider-$(name) &&) true

demo: build ## Deploy the example for real against stand-ins on loopback, and prove it
	go run ./tests/demo

test: fmt-check vet lint verify python postgres build ## Check everything and run all tests under the race detector
	go test -race -timeout 20m ./...

bench: build ## Measure the host and write build/bench.json
	go run ./tests/bench

crash: build python postgres ## Kill hosts, providers and stores at random in CYCLES deployments, go on, and check what is left
	go run ./tests/crash -cycles $(CYCLES) -figures build/crash.json

simulate: ## Simulate the host in virtual time under SEEDS seeds of faults, and check that no invariant breaks
	go test ./host/internal/simulate -run '^TestSimulate$$' -count=1 -timeout 2h -seeds $(SEEDS) -figures $(CURDIR)/build/simulate.json

planted: ## Put small faults into the program, and check that the simulation finds every one
	go test -tags planted ./host/internal/simulate -run Planted -count=1 -timeout 1h -figures $(CURDIR)/build/planted.json

reliability: simulate planted ## Simulate, and write the figures of the last runs into RELIABILITY.md
	$(if $(CRASH),$(MAKE) crash CYCLES=$(CRASH))
	go run ./tests/reliability

generate: tools ## Regenerate all generated code in place
	tools/generate

verify: tools ## Fail if generated code is not what its source gives
	tools/verify

lint: tools ## Run staticcheck on the code, buf lint and buf breaking on the protocol
	$(TOOLS)/staticcheck -checks all,-ST1020,-ST1021,-ST1022 ./...
	$(TOOLS)/buf lint
	$(TOOLS)/buf breaking --against $(PUBLISHED)

publish: tools ## Record the protocol as published: from then on lint refuses what would break it
	$(TOOLS)/buf build --exclude-source-info -o $(PUBLISHED)

vet:
	go vet ./...

fmt-check: ## Fail if a file is not formatted
	@unformatted=$$(gofmt -s -l .) && if [ -n "$$unformatted" ]; then echo "gofmt -s -w these:"; echo "$$unformatted"; exit 1; fi

python: ## Make sure that a Python with moto is there, in build/venv where the machine has none
	go run ./tests/standin/cmd/moto --prepare

postgres: ## Make sure that there is a PostgreSQL to start, or one that MGRAPH_DEPLOY_TEST_POSTGRES names
	go run ./tests/standin/cmd/postgres --prepare

# The versions are pinned in the tools modules; go build does nothing when the tools are there already.
tools:
	@go -C tools build -o ../$(TOOLS)/ tool
	@go -C tools/buf build -o ../../$(TOOLS)/ tool

clean: ## Remove all that was built
	rm -rf bin build
