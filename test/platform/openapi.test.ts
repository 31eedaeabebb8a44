import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import supertest from 'supertest';
import { errorCodes } from '../../src/platform/errors/error-codes.js';
import {
  Fraction,
  Instant,
  Int,
  JsonObject,
  ListOf,
  OneOf,
  Tags,
  Text,
  Vector,
} from '../../src/platform/http/fields.js';
import { platformApp } from '../support/platform-app.js';
import type { PlatformApp } from '../support/platform-app.js';

class Item {
  @Text({ max: 100, description: 'What to keep.' })
  content!: string;

  @Fraction({ optional: true, default: 0.5 })
  importance = 0.5;

  @Instant({ optional: true, nullable: true })
  t_valid?: string | null;

  @Vector({ length: 384, optional: true })
  embedding?: number[];

  @JsonObject({ optional: true })
  metadata?: object;
}

class Items {
  @ListOf(() => Item, { max: 500 })
  items!: Item[];
}

class Filter {
  @Int({ min: 1, max: 100, optional: true })
  limit = 10;

  @Tags({ optional: true })
  tags?: string[];

  @OneOf(['any', 'all'], { optional: true })
  mode?: string;
}

@Controller('v1/items')
class ItemsController {
  @Post()
  store(@Body() items: Items): object {
    return items;
  }

  @Get()
  list(@Query() filter: Filter): object {
    return filter;
  }
}

describe('the description of the API', () => {
  let server: PlatformApp;
  let http: ReturnType<typeof supertest>;
  let document: OpenAPIObject;

  beforeAll(async () => {
    server = await platformApp({ controllers: [ItemsController] });
    http = supertest(server.app.getHttpServer());
    document = (await http.get('/openapi.json')).body as OpenAPIObject;
  });

  afterAll(() => server.close());

  it('has the routes that are served, with what their fields are', () => {
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining(['/v1/items', '/health', '/v1/health', '/health/ready', '/metrics']),
    );
    expect(document.components?.schemas?.['Item']).toMatchObject({
      required: ['content'],
      properties: {
        content: { type: 'string', minLength: 1, maxLength: 100, description: 'What to keep.' },
        importance: { type: 'number', minimum: 0, maximum: 1, default: 0.5 },
        t_valid: { type: ['string', 'null'], format: 'date-time' },
        embedding: { type: 'array', items: { type: 'number' }, minItems: 384, maxItems: 384 },
        metadata: { type: 'object', additionalProperties: true },
      },
    });
    expect(document.components?.schemas?.['Items']).toMatchObject({
      properties: { items: { type: 'array', maxItems: 500, items: { $ref: '#/components/schemas/Item' } } },
    });
    expect(document.paths['/v1/items']?.get?.parameters).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'limit', in: 'query', required: false }),
        expect.objectContaining({ name: 'tags', in: 'query', required: false }),
        expect.objectContaining({ name: 'mode', in: 'query', required: false }),
      ]),
    );
  });

  it('names the problem document as the answer to whatever goes wrong', () => {
    for (const path of Object.values(document.paths)) {
      for (const operation of Object.values(path) as { responses: Record<string, unknown> }[]) {
        expect(operation.responses).toHaveProperty('default', { $ref: '#/components/responses/Problem' });
      }
    }
    expect(document.components?.schemas?.['Problem']).toMatchObject({
      properties: { code: { enum: Object.keys(errorCodes) } },
    });
    expect(document.components?.securitySchemes).toHaveProperty('bearer');
  });

  it('is shown on pages whose policy lets them work', async () => {
    const page = await http.get('/docs');
    expect(page.status).toBe(200);
    const policy = page.headers['content-security-policy'];
    expect(policy).toContain("script-src 'self'");
    // Were a script written into the page, the policy would stop it.
    expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)/);
    const scripts = [...page.text.matchAll(/<script[^>]*\bsrc="([^"]+)"/g)].map(([, source]) => source ?? '');
    expect(scripts.length).toBeGreaterThan(0);
    for (const source of scripts) {
      const script = await http.get(new URL(source, 'http://localhost/docs').pathname);
      expect([source, script.status]).toEqual([source, 200]);
      expect(script.headers['content-type']).toMatch(/javascript/);
    }
  });
});
