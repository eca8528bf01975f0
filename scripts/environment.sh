# Sourced by scripts/quickstart, scripts/test and .ci/run: `install [extra]` makes .venv, once for each set of versions.

install() {
  local extra="${1:-}" python candidate stamp
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python="$candidate"
      break
    fi
  done
  if [ -z "${python:-}" ]; then
    echo "khabar needs Python 3.11 or newer; name one: PYTHON=/path/to/python3.11 $0" >&2
    exit 2
  fi
  stamp=".venv/installed-${extra:-plain}-$(cat pyproject.toml constraints.txt | "$python" -c \
    'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:12])')"
  if [ -f "$stamp" ]; then
    return
  fi
  echo "Installing into .venv (a few minutes the first time) ..."
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e ".${extra:+[$extra]}"
  touch "$stamp"
}
