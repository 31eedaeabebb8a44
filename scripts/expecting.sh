# Sourced by the test scripts beside it: asks a running server by curl, and keeps count of what was expected.
#
#   BASE_URL     where it is (http://127.0.0.1:8000)
#   ADMIN_TOKEN  the operator's token; ADMIN_API_TOKEN will do
#
# Exit codes: 0 all as expected, 1 something was not, 2 it could not be tried.
BASE_URL=${BASE_URL:-http://127.0.0.1:8000}
BASE_URL=${BASE_URL%/}
ADMIN_TOKEN=${ADMIN_TOKEN:-${ADMIN_API_TOKEN:-}}
passed=0
failed=0

cannot() {
  echo "cannot be tried: $*" >&2
  exit 2
}

command -v curl >/dev/null || cannot 'curl is not installed'
[ -n "$ADMIN_TOKEN" ] || cannot "ADMIN_TOKEN is not set (an embedded server keeps it in its data folder, in keys/admin-token)"
curl -sS -m 10 -o /dev/null "$BASE_URL/health/live" || cannot "nothing answers at $BASE_URL; BASE_URL says where the server is"

# ask <token> <method> <path> [<body> [<header>]] → STATUS, BODY. The token goes by stdin: a command line can be seen.
ask() {
  local token=$1 method=$2 path=$3 answer
  local -a rest=()
  [ -z "${4:-}" ] || rest+=(-d "$4")
  [ -z "${5:-}" ] || rest+=(-H "$5")
  answer=$(curl -sS -m 60 -w '\n%{http_code}' -X "$method" -H @- ${rest[@]+"${rest[@]}"} "$BASE_URL$path" \
    <<<"Authorization: Bearer $token") || cannot "no answer to $method $path"
  STATUS=${answer##*$'\n'}
  BODY=${answer%$'\n'*}
}

# The first text of this name in BODY.
field() { grep -o "\"$1\":\"[^\"]*\"" <<<"$BODY" | head -n 1 | cut -d '"' -f 4 || true; }

ok() {
  passed=$((passed + 1))
  echo "  ok    $1"
}

wrong() {
  failed=$((failed + 1))
  echo "  WRONG $1: $2" >&2
}

# expect <what> <status> [<text that BODY must hold>]
expect() {
  if [ "$STATUS" != "$2" ]; then
    wrong "$1" "answered $STATUS, not $2: ${BODY:0:300}"
  elif [ -n "${3:-}" ] && ! grep -qF -- "$3" <<<"$BODY"; then
    wrong "$1" "nothing of '$3' in: ${BODY:0:300}"
  else
    ok "$1"
  fi
}

# expect_without <what> <text that BODY must not hold>
expect_without() {
  if grep -qF -- "$2" <<<"$BODY"; then wrong "$1" "'$2' is in: ${BODY:0:300}"; else ok "$1"; fi
}

# eventually <what> <status> <token> <method> <path>: what is refused everywhere is so within a second
eventually() {
  local try
  for try in 1 2 3 4 5 6 7 8 9 10; do
    ask "$3" "$4" "$5"
    [ "$STATUS" != "$2" ] || break
    sleep 0.5
  done
  expect "$1" "$2"
}

verdict() {
  echo
  echo "$passed as expected, $failed not"
  [ "$failed" -eq 0 ]
}
