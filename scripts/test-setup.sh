#!/usr/bin/env bash
# Sets a whole tenant up on a running server, as a new customer is: organization, workspace, agents, key, memory; and
# tries each. Erases it again, unless KEEP=1.
#
#   BASE_URL=http://127.0.0.1:8000 ADMIN_TOKEN=… scripts/test-setup.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/expecting.sh"

slug="setup-test-$$-$RANDOM"
tidy() {
  [ "${KEEP:-}" = 1 ] || ask "$ADMIN_TOKEN" DELETE "/admin/tenants/$slug?purge=true"
}

echo "The server at $BASE_URL"
ask '' GET /v1/health
expect 'is there, and knows tenants' 200 '"multi_tenant":true'

echo 'An organization'
ask "$ADMIN_TOKEN" POST /v1/organizations \
  "{\"name\": \"Acme Corp\", \"slug\": \"$slug\", \"plan_tier\": \"pro\", \"contact_email\": \"admin@acme.com\", \"contact_name\": \"Admin User\"}"
expect 'is made' 201 "\"slug\":\"$slug\""
[ "$STATUS" = 201 ] || cannot 'without an organization there is nothing to go on with'
trap tidy EXIT
organization=$(field id)
ask "$ADMIN_TOKEN" GET "/v1/organizations/$organization"
expect 'is found by its id, with its plan' 200 '"plan_tier":"pro"'

echo 'A workspace'
ask "$ADMIN_TOKEN" POST "/v1/organizations/$organization/workspaces" \
  '{"name": "Customer Support", "slug": "support", "description": "Support knowledge base", "settings": {}}'
expect 'is made' 201 "\"organization_id\":\"$organization\""
workspace=$(field id)
ask "$ADMIN_TOKEN" GET "/v1/workspaces/$workspace"
expect 'is found by its id' 200 '"slug":"support"'
ask "$ADMIN_TOKEN" GET "/v1/organizations/$organization/workspaces"
expect 'is in the list' 200 "$workspace"

echo 'Agents'
ask "$ADMIN_TOKEN" POST "/v1/workspaces/$workspace/agents" \
  '{"name": "Support Bot", "slug": "support-bot", "system_prompt": "You are a helpful support agent...", "model_provider": "openai", "model_name": "gpt-4", "temperature": 0.7, "enabled_tools": ["vector_search", "hybrid_search"], "tool_config": {}}'
expect 'one is made' 201 '"slug":"support-bot"'
agent=$(field id)
ask "$ADMIN_TOKEN" POST "/v1/workspaces/$workspace/agents" '{"name": "API Helper", "slug": "api-helper", "temperature": 0.5}'
expect 'another shares the workspace' 201
other=$(field id)
ask "$ADMIN_TOKEN" PATCH "/v1/workspaces/$workspace/agents/$agent" '{"temperature": 0.8}'
expect 'one is changed' 200 '"temperature":0.8'
ask "$ADMIN_TOKEN" DELETE "/v1/workspaces/$workspace/agents/$other"
expect 'the other is deleted' 200
ask "$ADMIN_TOKEN" GET "/v1/workspaces/$workspace/agents"
expect 'the list shows what is left' 200 "$agent"
expect_without 'and nothing else' "$other"

echo 'A key'
ask "$ADMIN_TOKEN" POST "/v1/workspaces/$workspace/api-keys" \
  '{"name": "Production Key", "scopes": ["memory", "search", "chat"], "rate_limit_per_minute": 600}'
expect 'is made, and shown once' 201 '"key":"'
id=$(field id)
key=$(field key)
ask "$ADMIN_TOKEN" GET "/v1/workspaces/$workspace/api-keys"
expect 'is in the list by its prefix' 200 '"key_prefix"'
expect_without 'and is not shown again' "$key"
ask "$key" POST /memory '{"content": "Alice prefers green tea in the morning."}'
expect 'stores a memory' 201 "\"tenant_id\":\"$slug\""
ask "$key" GET '/recall?query=What+does+Alice+drink'
expect 'recalls it in other words' 200 'green tea'
ask "$ADMIN_TOKEN" GET "/admin/tenants/$slug/stats"
expect 'and the operator sees it counted' 200 '"memory_count":1'
ask "$ADMIN_TOKEN" DELETE "/v1/workspaces/$workspace/api-keys/$id"
expect 'is revoked' 200
eventually 'and opens nothing any more' 401 "$key" GET '/recall?query=tea'

[ "${KEEP:-}" != 1 ] || echo "Kept: $slug"
verdict
