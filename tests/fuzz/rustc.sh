#!/bin/sh
# RUSTC_WORKSPACE_WRAPPER for `cargo xtask fuzz`: our own crates count their branches for libFuzzer, and the crates of
# others are those that every build here has.
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing
