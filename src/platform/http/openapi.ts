import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { OpenAPIObject } from '@nestjs/swagger';
import { errorCodes } from '../errors/error-codes.js';
import { version } from '../version.js';

const DESCRIPTION =
  'A private memory, a private knowledge base and agents for every tenant of an AI product. ' +
  'Every `/v1` route also answers under `/api/v1`, with or without a trailing slash. ' +
  'Errors are problem documents (RFC 9457); their codes are explained in docs/errors.md.';

/** Serves `/openapi.json` and the pages at `/docs`, both made from the routes that are really there. */
export function installOpenApi(app: NestExpressApplication): void {
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Loci',
    swaggerOptions: { persistAuthorization: false, displayRequestDuration: true },
  });
}

export function describeApi(app: NestExpressApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Loci')
    .setVersion(version)
    .setDescription(DESCRIPTION)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A tenant’s key, or the admin token.' })
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'api_key')
    .build();
  const document = SwaggerModule.createDocument(app, config);
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: PROBLEM },
    responses: { ...document.components?.responses, Problem: PROBLEM_RESPONSE },
  };
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path) as { responses?: Record<string, unknown> }[]) {
      // `parameters` and the like stand beside the operations.
      if (operation.responses !== undefined) {
        operation.responses['default'] ??= { $ref: '#/components/responses/Problem' };
      }
    }
  }
  return document;
}

const PROBLEM = {
  type: 'object',
  description: 'RFC 9457. Some codes have members of their own, such as `quota`, `limit` and `used`.',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', description: 'A stable name of the kind of problem: `/errors/<code>`.' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(errorCodes) },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['location', 'message'],
        properties: {
          location: { type: 'string', description: 'Such as `body.tags[3]` or `query.limit`.' },
          message: { type: 'string' },
        },
      },
    },
  },
};

const PROBLEM_RESPONSE = {
  description: 'What went wrong, in words that stay the same.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
