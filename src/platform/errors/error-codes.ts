/** How one refusal looks from outside. `explanation` says what happened and what to do about it. */
export interface ErrorMeaning {
  status: number;
  title: string;
  explanation: string;
}

/**
 * Every error that Loci answers with, in one table: the problem filter takes status and title from it,
 * `docs/errors.md` is printed from it, and the type `ErrorCode` is its keys.
 */
export const errorCodes = {
  'request.malformed': {
    status: 400,
    title: 'The request cannot be read',
    explanation:
      'The body is not valid JSON, was cut off, or the URL is not well-formed. Nothing was stored. Check what your client sends; repeating it unchanged will fail again.',
  },
  'request.invalid': {
    status: 400,
    title: 'The request is not valid',
    explanation:
      'One or more fields are missing, unknown, too long or of the wrong kind. `errors` names each place, such as `body.tags[3]`, with what is expected there. Nothing was stored. Correct those fields and send it again.',
  },
  'request.token_in_url': {
    status: 400,
    title: 'A token does not belong in a URL',
    explanation:
      'URLs end up in logs and histories, so a token in one is refused without being looked at. Send it as `Authorization: Bearer <token>` or `X-API-Key: <token>`, and consider the token in that URL as leaked: revoke it.',
  },
  'request.too_large': {
    status: 413,
    title: 'The request is too large',
    explanation:
      'The body, or a part of it, is beyond the limit for this route. Nothing was stored. Send less at once: split batches, and ingest long texts as documents.',
  },
  'request.headers_too_large': {
    status: 431,
    title: 'The URL and headers are too large',
    explanation:
      'The request line and the headers together may have 16 KB. Send long questions as a body (`POST /recall`), and look for headers that your client or a proxy adds.',
  },
  'request.unsupported_media': {
    status: 415,
    title: 'The body is of a kind that is not read here',
    explanation:
      'The content type, character set or content encoding of the body is not supported. Send JSON in UTF-8, uncompressed or with gzip, deflate or brotli.',
  },
  'request.method_not_allowed': {
    status: 405,
    title: 'This method is not allowed here',
    explanation: 'The path exists, the method does not. `/openapi.json` lists what each path takes.',
  },
  'request.timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    explanation:
      'The body did not arrive completely within the time allowed. Nothing was stored; send it again.',
  },
  'route.not_found': {
    status: 404,
    title: 'No such route',
    explanation: 'Nothing is served under this path. `/openapi.json` and `/docs` list the routes.',
  },
  'auth.required': {
    status: 401,
    title: 'A token is needed',
    explanation: 'Send your key as `Authorization: Bearer <token>` or as `X-API-Key: <token>`.',
  },
  'auth.invalid': {
    status: 401,
    title: 'The token is not valid',
    explanation:
      'The token is unknown, mistyped, revoked or expired; which of these is not said. Check it, or ask whoever issued it for a new one.',
  },
  'auth.throttled': {
    status: 429,
    title: 'Too many wrong tokens',
    explanation:
      'Many tokens came from this address that were not valid. Further wrong ones are answered this way for as many seconds as `Retry-After` says; good ones work meanwhile. Look for a client that has an old token.',
  },
  'auth.forbidden': {
    status: 403,
    title: 'The token may not do this',
    explanation:
      'The token is good, but its scopes or role do not reach this far. The detail names what is missing. Use a key that has it.',
  },
  tenant_mismatch: {
    status: 403,
    title: 'The token belongs to another tenant',
    explanation:
      '`X-Tenant-ID` named a tenant that is not the token’s own. Leave the header out, or use that tenant’s token.',
  },
  'operator.no_content': {
    status: 403,
    title: 'Operators do not read content',
    explanation:
      'The admin token provisions and watches tenants; it does not reach their memories, documents, chats or searches. Use one of the tenant’s own keys.',
  },
  'tenant.suspended': {
    status: 403,
    title: 'The tenant is suspended',
    explanation:
      'An operator suspended this tenant. Nothing was deleted. It works again as soon as an operator resumes it.',
  },
  'master_key.not_ready': {
    status: 409,
    title: 'The master key cannot be rotated yet',
    explanation:
      'Every server on this ledger must have the new key in `LOCI_MASTER_KEY` and the present one in `LOCI_MASTER_KEY_PREVIOUS` before anything is wrapped by the new one; `detail` says what is missing. Nothing was changed. Restart the servers with both, one after the other, and ask again.',
  },
  'master_key.rotating': {
    status: 409,
    title: 'The master key is being rotated',
    explanation:
      'Another request rotates the master key just now. Wait for it; asking again afterwards does what may be left, and changes nothing else.',
  },
  'tenant.not_found': {
    status: 404,
    title: 'No such tenant',
    explanation: 'There is no tenant with that id or slug, or it is not yours.',
  },
  'tenant.not_named': {
    status: 400,
    title: 'The request does not say which tenant it is about',
    explanation:
      'The admin token belongs to no tenant. Name the tenant by its slug or UUID in `X-Tenant-ID`, or name the workspace by its UUID.',
  },
  'tenant.deleted': {
    status: 409,
    title: 'The tenant is deleted',
    explanation:
      'The tenant was deleted. Within 30 days an operator can bring it back with `POST /admin/tenants/:tenant/restore`; its slug is not given to another tenant meanwhile.',
  },
  'tenant.conflict': {
    status: 409,
    title: 'A different tenant exists under that id',
    explanation:
      'A tenant with that id exists and was made from another body. Repeat the body exactly to get the same tenant, or choose another id.',
  },
  'tenant.slug_taken': {
    status: 409,
    title: 'The slug is taken',
    explanation: 'Another tenant has that `tenant_id`. Slugs never change, so choose another one.',
  },
  'tenant.invalid_transition': {
    status: 409,
    title: 'The tenant’s state does not allow this',
    explanation:
      'For example, only a suspended tenant can be resumed and only a deleted one restored. Look at its `state` first.',
  },
  'workspace.not_found': {
    status: 404,
    title: 'No such workspace',
    explanation: 'There is no workspace with that id or slug, or this key cannot see it.',
  },
  'workspace.slug_taken': {
    status: 409,
    title: 'The slug is taken',
    explanation: 'Another workspace of this tenant has that `slug`. Choose another one.',
  },
  'workspace.is_default': {
    status: 422,
    title: 'The default workspace stays',
    explanation:
      'Every tenant has a default workspace, where requests go that name none. Delete what is in it, or the whole tenant.',
  },
  'agent.not_found': {
    status: 404,
    title: 'No such agent',
    explanation:
      'There is no agent with that id or slug in this workspace, or you may not see it. It may have been deleted.',
  },
  'agent.slug_taken': {
    status: 409,
    title: 'The slug is taken',
    explanation: 'Another agent of this workspace has that `slug`. Choose another one.',
  },
  'agent.is_default': {
    status: 422,
    title: 'The default agent stays',
    explanation:
      'Every tenant has a default agent, which answers where none is named. Change it with PATCH instead.',
  },
  'key.not_found': {
    status: 404,
    title: 'No such key',
    explanation: 'There is no key with that id here, or it is not yours. It may have been revoked already.',
  },
  'key.in_use': {
    status: 409,
    title: 'The token is in use already',
    explanation: 'The token that was brought along is already a key somewhere. Choose another one.',
  },
  'key.rotated': {
    status: 409,
    title: 'The key was rotated already',
    explanation:
      'Another key took over from this one, which still works until its overlap ends. Where that other key was not received, revoke it and make a new one.',
  },
  'member.not_found': {
    status: 404,
    title: 'No such member',
    explanation: 'This tenant has no member with that id. It may have been removed already.',
  },
  'member.exists': {
    status: 409,
    title: 'Another member has that address or external id',
    explanation:
      'An e-mail address and an external id each belong to one member of a tenant. Change that member, or choose another address or id.',
  },
  'member.last_admin': {
    status: 409,
    title: 'The last administrator stays',
    explanation:
      'Without this member nobody could manage the tenant: it is the last active tenant_admin, and there is no key with the scope manage. Make another tenant_admin first.',
  },
  'member.inactive': {
    status: 409,
    title: 'The member is deactivated',
    explanation: 'A deactivated member gets no token. Set `is_active` to true first.',
  },
  'oidc.not_found': {
    status: 404,
    title: 'No identity provider',
    explanation: 'This tenant has registered no OIDC issuer. PUT one to /v1/tenants/current/oidc.',
  },
  'oidc.taken': {
    status: 409,
    title: 'The issuer is registered for this audience',
    explanation:
      'A token’s issuer and audience name its tenant, so each pair is registered once. Use an audience (a client id) of this tenant’s own.',
  },
  'issuer.unavailable': {
    status: 503,
    title: 'The identity provider does not answer',
    explanation:
      'The keys of the token’s issuer could not be fetched: it is away, it is no host of the public internet, or its answers are not those of an OpenID provider. Try again after `Retry-After` seconds; the server’s log says more.',
  },
  'memory.not_found': {
    status: 404,
    title: 'No such memory',
    explanation: 'There is no memory with that id, or this key cannot see it. It may have been deleted.',
  },
  'entity.not_found': {
    status: 404,
    title: 'No such entity',
    explanation:
      'No memory of this workspace names an entity with that slug, or this key cannot see it. What was stored a moment ago is read in the background: `GET /enrichment/status` tells whether something is still waiting.',
  },
  'entity.invalid': {
    status: 422,
    title: 'These are one entity already',
    explanation: 'An entity is merged into another one. Both slugs name the same: nothing was changed.',
  },
  'memory.conflict': {
    status: 409,
    title: 'Another memory has that id',
    explanation:
      'A memory with the given id exists and differs from this one. Change it with PATCH, or leave out `id` to have one made.',
  },
  'consolidation.running': {
    status: 409,
    title: 'Consolidation is running',
    explanation:
      'The memories of this tenant are being consolidated already, by a call or by schedule; there is one run at a time. `GET /consolidate/status` tells how far it is. Try again when it is done.',
  },
  'relation.invalid': {
    status: 422,
    title: 'The relation is not possible',
    explanation:
      'A relation joins two different memories of one workspace with a known type. The detail says which of these does not hold.',
  },
  'relation.reserved': {
    status: 422,
    title: 'Loci alone makes such relations',
    explanation:
      'SIMILAR_TO, PRECEDED_BY and DISCOVERED say what Loci found out by itself. To say it yourself use RELATES_TO, OCCURRED_BEFORE or another of the types that `/graph/relations` shows as a caller’s.',
  },
  'idempotency.key_invalid': {
    status: 400,
    title: 'The Idempotency-Key is not valid',
    explanation: 'An `Idempotency-Key` has 1 to 255 visible ASCII characters. A UUID is a good one.',
  },
  'idempotency.conflict': {
    status: 409,
    title: 'The Idempotency-Key was used for another body',
    explanation:
      'Within the last 24 hours the same key came to this route with a different body. Use a new key for a new request.',
  },
  'idempotency.in_progress': {
    status: 409,
    title: 'The first request with this Idempotency-Key still runs',
    explanation:
      'Wait for its answer, or repeat this request a little later: it then gets the first one’s answer.',
  },
  'quota.exceeded': {
    status: 403,
    title: 'A quota is used up',
    explanation:
      '`quota`, `limit` and `used` say which one. Nothing was stored. Delete what is no longer needed, wait for the next period, or move to a larger plan.',
  },
  'feature.disabled': {
    status: 403,
    title: 'The tenant does not have this feature',
    explanation:
      '`feature` names it. It comes with a larger plan, or an operator gives it: `PATCH /admin/tenants/:tenant` with `features`. A tenant turns its own features off and on at `/v1/tenants/current`.',
  },
  'rate.limited': {
    status: 429,
    title: 'Too many requests',
    explanation:
      'The rate allowed to this key, or to its tenant, is reached. Wait as many seconds as `Retry-After` says. `RateLimit` on every answer shows what is left.',
  },
  'trigger.not_found': {
    status: 404,
    title: 'No such trigger',
    explanation: 'This tenant has no trigger with that id. `GET /v1/tenants/current/triggers` lists them.',
  },
  'trigger.too_many': {
    status: 409,
    title: 'There are as many triggers as there may be',
    explanation:
      'A tenant may have so many triggers; `limit` says how many. Remove one, or let one rule cover more: its tags and types are lists.',
  },
  'stream.too_many': {
    status: 429,
    title: 'Too many streams are open',
    explanation:
      'A tenant may hold so many event streams open with one server at once; `limit` says how many. Close those that nobody reads, or share one among your clients.',
  },
  'stream.full': {
    status: 503,
    title: 'This server holds no more streams',
    explanation:
      'All the event streams that one server process holds are taken, by all tenants together. Try again after `Retry-After` seconds; another replica may take you at once.',
  },
  'model.unavailable': {
    status: 503,
    title: 'The model does not answer',
    explanation:
      'A model that this request cannot do without did not answer in time. Try again after `Retry-After` seconds. Storing memories works meanwhile.',
  },
  'ledger.unavailable': {
    status: 503,
    title: 'The database does not answer',
    explanation:
      'The ledger cannot be reached at the moment. A write answered this way may or may not have been kept: repeat it with the same `Idempotency-Key` after `Retry-After` seconds.',
  },
  'ledger.moving': {
    status: 503,
    title: 'The tenant is moving to another database',
    explanation:
      'What the tenant stored is being moved to another database, and the last of it is on its way at this moment. Nothing was stored. Try again after `Retry-After` seconds.',
  },
  'placement.unknown': {
    status: 422,
    title: 'There is no such placement',
    explanation:
      'No placement of this name is set up. The answer names those that are; an operator adds one in the file that LOCI_PLACEMENTS names.',
  },
  'placement.elsewhere': {
    status: 421,
    title: 'Another process serves this tenant',
    explanation:
      'The processes behind this address serve other placements (LOCI_SERVE_PLACEMENTS). Nothing was done. Send the request to the address that your operator gave you for this tenant; operators, route the tenant’s host or key to processes that serve its placement.',
  },
  'placement.missing': {
    status: 503,
    title: 'The tenant’s placement is not set up',
    explanation:
      'The placement that this tenant is in has left the file that LOCI_PLACEMENTS names. Nothing is lost: what it stored is in the ledger. An operator puts the placement back, or moves the tenant to another (POST /admin/tenants/:tenant/placement), where its indexes are built anew.',
  },
  'placement.moving': {
    status: 409,
    title: 'The tenant is moving',
    explanation:
      'The tenant is on its way to another placement. Wait until it is there (GET /admin/tenants/:tenant/placement shows how far it is), then move it again.',
  },
  'space.unavailable': {
    status: 503,
    title: 'The search index does not answer',
    explanation:
      'The index that this request needs cannot be reached at the moment. What was stored is safe. Try again after `Retry-After` seconds.',
  },
  'server.stopping': {
    status: 503,
    title: 'The server is stopping or starting',
    explanation:
      'This process takes no new requests at the moment. Try again after `Retry-After` seconds; another replica, or the next start, will answer.',
  },
  'server.internal': {
    status: 500,
    title: 'Something went wrong here',
    explanation:
      'A fault of ours. It is in the server’s log under the `request_id` of this answer: pass that on when you report it.',
  },
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errorCodes;
