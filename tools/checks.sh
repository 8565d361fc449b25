# What `./dev check` and `./dev bench` run. Sourced by ./dev after tools/lib.sh, never run.
# Every function returns or exits non-zero when its check fails; none relies on `set -e`.

# cxx_files: every source and header of ours.
cxx_files() {
  find "$root"/{framework,transports,netsim,reports,tests,examples} \
    \( -name '*.cpp' -o -name '*.hpp' \) -print0 2>/dev/null | sort -z
}

check_format() {
  cxx_files | xargs -0 -n 20 -P 2 clang-format --dry-run -Werror ||
    fail "clang-format would change these files; run: clang-format -i <files>"
}

check_lint() {
  local script status=0
  for script in "$root"/tests/lint/check_*.py; do
    step "${script##*/}"
    "$python" "$script" --root "$root"
    case $? in 0 | 77) ;; *) status=1 ;; esac
  done
  "$python" "$root/tests/lint/selftest.py" || status=1
  return $status
}

# The tests of a build with other flags; benchmarks say nothing there.
test_preset() {
  build_preset "$1"
  run_tests "$1" -LE '^(bench|lint)$' "${@:2}"
}

check_asan() {
  export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
  test_preset asan
}

# The simulated tests have one thread: there is nothing in them for this sanitizer to find.
check_tsan() { TSAN_OPTIONS=halt_on_error=1 test_preset tsan -LE '^(sim|prop|fuzz|lint)$'; }

check_clang() { test_preset clang; }

# clang-tidy over every translation unit of the tidy preset, two at a time.
check_tidy() {
  local log
  log="$(log_file tidy)"
  step "Configuring build/tidy"
  (cd "$root" && cmake --preset tidy >"$log" 2>&1) || fail "configuring tidy failed: see $log"
  step "clang-tidy over every source (findings also in build/logs/tidy.log)"
  "$python" "$root/tools/tidy_files.py" "$root/build/tidy/compile_commands.json" "$root" |
    xargs -0 -n 1 -P 2 clang-tidy --quiet -p "$root/build/tidy" 2>/dev/null | tee "$log"
  [[ ${PIPESTATUS[1]} == 0 ]] || fail "clang-tidy has findings"
}

# Each fuzz target for MDP_FUZZ_SECONDS (default 30), from its corpus; new inputs stay
# in build/fuzz, a crash is left in build/fuzz/crashes.
check_fuzz() {
  local seconds=${MDP_FUZZ_SECONDS:-30} target name found=0
  build_preset fuzz
  while IFS= read -r -d '' target; do
    found=1
    name=${target##*/fuzz_}
    mkdir -p "$root/build/fuzz/corpus/$name" "$root/build/fuzz/crashes"
    local corpora=("$root/build/fuzz/corpus/$name")
    [[ -d $root/tests/fuzz/corpus/$name ]] && corpora+=("$root/tests/fuzz/corpus/$name")
    step "Fuzzing $name for $seconds s"
    "$target" -max_total_time="$seconds" -timeout=10 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="$root/build/fuzz/crashes/$name-" "${corpora[@]}" ||
      fail "$name found an input that breaks it: build/fuzz/crashes"
  done < <(find "$root/build/fuzz" -type f -name 'fuzz_*' -executable -print0 | sort -z)
  ((found)) || fail "no fuzz target in build/fuzz"
}

# The scenarios and the random schedules over MDP_SEEDS (default 100,000) seeds each, one process a
# core. Hours; each failure prints the command that replays it.
check_soak() {
  local seeds=${MDP_SEEDS:-100000} shards shard status=0 pids=()
  shards=$(nproc)
  build_preset release test_sim_scenarios test_sim_engine test_prop_engine
  step "Running $seeds seeds of every scenario and schedule in $shards processes"
  for ((shard = 0; shard < shards; ++shard)); do
    (
      export MDP_SEEDS=$seeds GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$shard
      "$root/build/release/tests/test_sim_scenarios" --gtest_brief=1 &&
        "$root/build/release/tests/test_sim_engine" --gtest_brief=1 \
          --gtest_filter='churn.*:forgotten.*:liveness.*:paths.*:strangers.*' &&
        "$root/build/release/tests/test_prop_engine" --gtest_brief=1
    ) &
    pids+=($!)
  done
  for shard in "${pids[@]}"; do wait "$shard" || status=1; done
  return $status
}

# Installs into a fresh prefix, builds examples/ against it from outside the tree, runs the results.
check_install() {
  local stage
  build_preset release
  stage="$(mktemp -d)" || fail "cannot make a temporary directory"
  # shellcheck disable=SC2064  # the path as it is now
  trap "rm -rf '$stage'" EXIT
  step "Installing into a temporary prefix"
  cmake --install "$root/build/release" --prefix "$stage/prefix" >"$(log_file install)" ||
    fail "cmake --install failed: see build/logs/install.log"
  cp -r "$root/examples" "$stage/examples" || fail "examples/ is missing"
  step "Building examples/ against the installed package"
  if ! { cmake -S "$stage/examples" -B "$stage/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$stage/prefix" && cmake --build "$stage/build"; } \
    >"$(log_file examples)" 2>&1; then
    tail -n 30 "$(log_file examples)" >&2
    fail "the examples do not build against the installed package: see build/logs/examples.log"
  fi
  "$root/tools/try_examples.sh" "$stage/prefix" "$stage/build" ||
    fail "the installed package does not work"
}

# The simulator's digests must be the same for every compiler, library, sanitizer and CPU at hand.
check_digest() {
  step "Simulating with every compiler (the group \`cross\` of tools/packages.txt adds more)"
  "$python" "$root/tools/digest_table.py"
}

# run_benchmarks [NAME...]: the programs build/release/bin/<name>_bench, all by default.
run_benchmarks() {
  local dir="$root/build/release/bin" program
  # shellcheck disable=SC2046  # one word a name
  (($# > 0)) || set -- $(find "$dir" -maxdepth 1 -name '*_bench' -printf '%f\n' | sort)
  (($# > 0)) || fail "no benchmarks were built: configure with MDP_BUILD_BENCHMARKS=ON"
  for program in "$@"; do
    program="${program%_bench}_bench"
    [[ -x $dir/$program ]] || fail "no benchmark '$program' in build/release/bin"
    step "$program"
    "$dir/$program" || fail "$program failed"
    [[ $program != rows_bench ]] || run_lossy_rows
  done
}

# The rows of the table of goals behind a lossy link: virtual time, held by assertions.
run_lossy_rows() {
  step "Lossy links, 5 ms each way (simulated)"
  rm -rf "$root/build/release/lossy"
  (cd "$root" && build/release/bin/mdp run scenarios/lossy_{paced,ping_pong,goodput}.json \
    -o build/release/lossy --no-report --quiet) || fail "a lossy link misses its goal"
}
