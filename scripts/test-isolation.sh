#!/usr/bin/env bash
# Makes two tenants on a running server, gives each a memory and an agent, and tries to reach one with the other's key in
# every way that a customer could think of. Erases both again.
#
#   BASE_URL=http://127.0.0.1:8000 ADMIN_TOKEN=… scripts/test-isolation.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expecting.sh"

run="$$-$RANDOM"
fernando="fernando-$run"
claudio="claudio-$run"
token() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
fernandos=$(token)
claudios=$(token)
tidy() {
  ask "$ADMIN_TOKEN" DELETE "/admin/tenants/$fernando?purge=true"
  ask "$ADMIN_TOKEN" DELETE "/admin/tenants/$claudio?purge=true"
}
trap tidy EXIT

echo "Two tenants at $BASE_URL"
ask "$ADMIN_TOKEN" POST /admin/tenants "{\"tenant_id\": \"$fernando\", \"name\": \"Fernando Client\", \"api_token\": \"$fernandos\"}"
expect 'Fernando is made, with a token of his own' 201 "memories_$fernando"
ask "$ADMIN_TOKEN" POST /admin/tenants "{\"tenant_id\": \"$claudio\", \"name\": \"Claudio Client\", \"api_token\": \"$claudios\"}"
expect 'Claudio too' 201 "memories_$claudio"

ask "$fernandos" POST /memory '{"content": "My project uses PostgreSQL", "tags": ["project"]}'
expect 'Fernando stores a memory' 201
memory=$(field memory_id)
ask "$claudios" POST /memory '{"content": "My project uses MongoDB", "tags": ["project"]}'
expect 'Claudio stores one' 201
claudios_memory=$(field memory_id)
ask "$fernandos" POST /v1/workspaces/default/agents '{"name": "Docs Expert", "slug": "docs-expert"}'
expect 'Fernando makes an agent that is public' 201 '"is_public":true'
agent=$(field id)
workspace=$(field workspace_id)

echo 'Each sees what is his'
ask "$fernandos" GET '/recall?query=which+database+does+my+project+use'
expect 'Fernando recalls his' 200 PostgreSQL
expect_without "and nothing of Claudio's" MongoDB
ask "$claudios" GET '/recall?query=which+database+does+my+project+use'
expect 'Claudio recalls his' 200 MongoDB
expect_without "and nothing of Fernando's" PostgreSQL
ask "$claudios" GET '/memory/by-tag?tags=project'
expect 'a tag that both use finds his own' 200 "$claudios_memory"
expect_without 'alone' "$memory"
ask "$claudios" GET /v1/memories
expect_without 'a list holds none of the other' "$memory"

echo 'What is the other’s is not there'
ask "$claudios" GET '/memory/00000000-0000-4000-8000-00000000dead'
missing=$(sed 's/"request_id":"[^"]*"//; s/"instance":"[^"]*"//' <<<"$BODY")
ask "$claudios" GET "/memory/$memory"
expect 'a memory, read by its id' 404
if [ "$(sed 's/"request_id":"[^"]*"//; s/"instance":"[^"]*"//' <<<"$BODY")" = "$missing" ]; then
  ok 'and the answer is that of one that never existed'
else
  wrong 'and the answer is that of one that never existed' "$BODY"
fi
ask "$claudios" PATCH "/memory/$memory" '{"content": "My project uses nothing"}'
expect 'changed' 404
ask "$claudios" DELETE "/memory/$memory"
expect 'deleted' 404
ask "$claudios" GET "/memory/$memory/history"
expect 'its history' 404
ask "$claudios" GET "/memories/$memory/related"
expect 'what is around it' 404
ask "$claudios" POST /associate "{\"memory1_id\": \"$claudios_memory\", \"memory2_id\": \"$memory\", \"type\": \"RELATES_TO\", \"strength\": 1}"
expect 'related to one of his own' 404
ask "$claudios" GET "/v1/workspaces/$workspace"
expect 'the workspace' 404
ask "$claudios" GET "/v1/workspaces/$workspace/agents/$agent"
expect 'the public agent' 404
ask "$claudios" GET /v1/agents
expect_without 'the list of agents' "$agent"
ask "$claudios" POST /memory "{\"content\": \"Smuggled\", \"workspace_id\": \"$workspace\"}"
expect 'storing into the workspace' 404
ask "$claudios" GET '/recall?query=database' '' "X-Tenant-ID: $fernando"
expect 'naming the other tenant in a header' 403 tenant_mismatch
ask "$claudios" GET "/admin/tenants/$fernando"
expect "the operator's routes" 403
ask "$fernandos" GET "/memory/$memory"
expect 'and after all that it is as it was' 200 'My project uses PostgreSQL'

echo 'Tokens'
ask 'a-token-that-nobody-has' GET '/recall?query=database'
expect 'an unknown one opens nothing' 401
ask '' GET '/recall?query=database'
expect 'nor does none' 401
ask "$ADMIN_TOKEN" GET '/recall?query=database'
expect "the operator's reads no content" 403 operator.no_content

echo 'What happens to one is not felt by the other'
ask "$ADMIN_TOKEN" GET "/admin/tenants/$fernando/stats"
expect 'memories are counted for each' 200 '"memory_count":1'
ask "$ADMIN_TOKEN" POST "/admin/tenants/$fernando/suspend" '{"reason": "a test"}'
expect 'Fernando is suspended' 200
eventually 'and refused' 403 "$fernandos" GET '/recall?query=database'
ask "$claudios" GET '/recall?query=database'
expect 'Claudio is served' 200 MongoDB
ask "$ADMIN_TOKEN" POST "/admin/tenants/$fernando/resume"
expect 'Fernando may go on' 200
eventually 'and does' 200 "$fernandos" GET '/recall?query=database'

verdict
