# The front door. The build is CMake (CMakePresets.json), the tests are CTest; what these
# targets do can be done by hand as CONTRIBUTING.md says.
PREFIX ?= /usr/local

.PHONY: help demo test bench install format clean

help:
	@echo 'make demo      set up, build, and run the main job on the bundled data'
	@echo 'make test      set up and run the tests: release and sanitizer suites;'
	@echo '               with CI=true also Clang, ThreadSanitizer, coverage, fuzzing'
	@echo 'make bench     build the benchmarks and list them; bench/run NAME runs one'
	@echo 'make install   build and install below PREFIX ($(PREFIX)); DESTDIR is respected'
	@echo 'make format    format the sources'
	@echo 'make clean     remove what was built (fetched models stay)'
	@echo
	@echo 'Each target first runs scripts/setup, which installs the packages that are'
	@echo 'missing; scripts/setup --print only says which.'

demo:
	scripts/setup
	cmake --preset release
	cmake --build --preset release --target proffer
	build/release/proffer demo -w build/demo

test:
	scripts/test

bench:
	scripts/setup bench
	cmake --preset release
	cmake --build --preset release --target benchmarks
	bench/run --list

install:
	scripts/setup
	cmake --preset release
	cmake --build --preset release --target proffer libproffer
	cmake --install build/release --prefix $(PREFIX)

format:
	scripts/setup format
	git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format -i

clean:
	rm -rf build
