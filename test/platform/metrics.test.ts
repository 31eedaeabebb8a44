import { Controller, Get } from '@nestjs/common';
import supertest from 'supertest';
import { MetricsAccess } from '../../src/platform/metrics/metrics-access.js';
import { Public } from '../../src/tenancy/public.decorator.js';
import { ADMIN_TOKEN, platformApp } from '../support/platform-app.js';
import type { PlatformApp } from '../support/platform-app.js';

@Public()
@Controller()
class Rooms {
  @Get('v1/rooms/:room')
  room(): object {
    return {};
  }
}

describe('GET /metrics', () => {
  let server: PlatformApp;
  let http: ReturnType<typeof supertest>;

  beforeAll(async () => {
    server = await platformApp({ controllers: [Rooms], env: { METRICS_TOKEN: 'metrics-token' } });
    http = supertest(server.app.getHttpServer());
  });

  afterAll(() => server.close());

  it('opens to the admin token and to METRICS_TOKEN, and to nobody else', async () => {
    expect((await http.get('/metrics')).body.code).toBe('auth.required');
    for (const wrong of ['metrics-toke', 'metrics-token2', 'x']) {
      const reply = await http.get('/metrics').set('Authorization', `Bearer ${wrong}`);
      expect([reply.status, reply.body.code]).toEqual([401, 'auth.invalid']);
    }
    for (const token of [ADMIN_TOKEN, 'metrics-token']) {
      expect((await http.get('/metrics').set('Authorization', `Bearer ${token}`)).status).toBe(200);
      expect((await http.get('/metrics').set('X-API-Key', token)).status).toBe(200);
    }
  });

  it('counts requests by the route that was declared, whatever the paths were', async () => {
    for (let i = 0; i < 3; i++) await http.get(`/v1/rooms/r${i}`);
    for (let i = 0; i < 3; i++) await http.get(`/nowhere/${i}`);
    const { text, headers } = await http.get('/metrics').set('X-API-Key', ADMIN_TOKEN);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain(
      'http_request_duration_seconds_count{method="GET",route="/v1/rooms/:room",status="2xx"} 3',
    );
    expect(text).toContain(
      'http_request_duration_seconds_count{method="GET",route="unmatched",status="4xx"} 3',
    );
    expect(text).not.toMatch(/nowhere|rooms\/r0|tenant=/);
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).toContain('process_resident_memory_bytes');
  });
});

describe('the access to metrics', () => {
  it('is nobody’s where no token is set', () => {
    expect(new MetricsAccess([null]).allows('')).toBe(false);
  });
});
