# shellcheck shell=bash
# Sourced by tools/quickstart and tools/test: finds out what is missing on a Debian 12 and installs only that.

# What the build needs from Debian, one package a line.
headrace_packages=(
  g++
  cmake
  ninja-build
  pkg-config
  ccache
  liburing-dev
  libevent-dev
  libc-ares-dev
  libtbb-dev
  libmimalloc-dev
  libabsl-dev
  libgtest-dev
  libgmock-dev
  libbenchmark-dev
  libsecp256k1-dev
  libssl-dev
  libgmp-dev
  nlohmann-json3-dev
  libspdlog-dev
)

# What tests need besides: a DNS server to ask.
test_packages=(
  dnsmasq-base
)

# What the presets asan and tsan need besides. llvm has the program that puts names and lines into their reports.
sanitizer_packages=(
  clang
  libclang-rt-14-dev
  llvm
)

fail() {
  echo "Error: $*" >&2
  exit 1
}

# Prints those of the given packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      echo "$package"
    fi
  done
}

# Runs a command as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "this takes root or sudo: $*"
  fi
}

# Installs what is missing of the build's packages and of those given as arguments. Does nothing, and needs neither root nor a
# network, when all is there.
install_missing_packages() {
  command -v dpkg-query >/dev/null ||
    fail "this script installs Debian 12 packages and found no dpkg; the README lists what the build needs"
  local missing
  mapfile -t missing < <(missing_packages "${headrace_packages[@]}" "$@")
  if [ "${#missing[@]}" = 0 ]; then
    echo "All packages are installed."
    return
  fi
  echo "Installing: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install ${missing[*]}; see its messages above"
}

# build_preset PRESET TARGET...: configures and builds with all cores, as far as memory allows (about 1 GB for each compiler).
build_preset() {
  local preset=$1 memory_gb jobs
  shift
  memory_gb=$(awk '/^MemAvailable:/ { print int($2 / 1000000) }' /proc/meminfo)
  jobs=$(nproc)
  if [ "$memory_gb" -lt "$jobs" ]; then jobs=$((memory_gb > 1 ? memory_gb : 1)); fi
  local messages
  messages=$(cmake --preset "$preset" 2>&1) || fail "cmake could not configure the build: $messages"
  cmake --build --preset "$preset" -j "$jobs" --target "$@" || fail "the build stopped; its last messages are above"
}
