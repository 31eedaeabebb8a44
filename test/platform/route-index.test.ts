import { All, Controller, Delete, Get, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import { indexRoutes } from '../../src/platform/http/route-index.js';
import request from 'supertest';

@Controller({ path: ['', 'v1'] })
class Things {
  @Get()
  root() {
    return { called: 'root' };
  }
  @Get('things/newest')
  newest() {
    return { called: 'newest' };
  }
  @Get('things/:id')
  thing(@Param('id') id: string) {
    return { called: 'thing', id };
  }
  @Delete('things/:id')
  remove(@Param('id') id: string) {
    return { called: 'remove', id };
  }
  @Get('things/:id/parts/:part')
  part(@Param() params: Record<string, string>) {
    return { called: 'part', ...params };
  }
  @Get('files/data.json')
  file() {
    return { called: 'file' };
  }
  @Get('trees/*path')
  tree(@Param('path') path: string[]) {
    return { called: 'tree', path };
  }
  @Get('trees/oak')
  oak() {
    return { called: 'oak' };
  }
  @Get('fails')
  fails() {
    throw new TypeError('as it must');
  }
}

@Controller()
class Rest {
  @All('*rest')
  rest(@Param('rest') rest: string[]) {
    return { called: 'rest', rest };
  }
  @Post('things/after')
  after() {
    return { called: 'after' };
  }
}

@Module({ controllers: [Things, Rest] })
class ThingsModule {}

interface Layer {
  route?: unknown;
}

const CALLS = [
  'GET /',
  'GET /v1',
  'GET /v1/',
  'GET /things/newest',
  'GET /things/newest/',
  'GET /things/7',
  'HEAD /things/7',
  'GET /THINGS/7',
  'GET /things/a%20b',
  'GET /things/a%2Fb',
  'GET /things/%E0%A4',
  'GET /things//7',
  'GET /v1/things/newest',
  'GET /v1/things/7/parts/8?x=1',
  'GET /v1/things/7/parts',
  'DELETE /things/7',
  'DELETE /v1/things/newest',
  'PUT /things/7',
  'POST /things/after',
  'GET /files/data.json',
  'GET /trees/oak',
  'GET /trees/a/b',
  'GET /fails',
  'GET /none/at/all',
];

describe('the index of routes', () => {
  let plain: NestExpressApplication;
  let indexed: NestExpressApplication;
  let walked: number;

  beforeAll(async () => {
    plain = await NestFactory.create<NestExpressApplication>(ThingsModule, { logger: false });
    await plain.init();
    indexed = await NestFactory.create<NestExpressApplication>(ThingsModule, { logger: false });
    await indexed.init();
    indexRoutes(indexed);
    // Comes right behind the index: what the index finds never gets here.
    const { stack } = (indexed.getHttpAdapter().getInstance() as unknown as { router: { stack: Layer[] } })
      .router;
    indexed.use((_request: Request, _response: Response, next: NextFunction) => {
      walked++;
      next();
    });
    const counting = stack.pop();
    const firstRoute = stack.findIndex((layer) => layer.route !== undefined);
    if (counting !== undefined) stack.splice(firstRoute, 0, counting);
  });
  beforeEach(() => {
    walked = 0;
  });
  afterAll(async () => {
    await plain.close();
    await indexed.close();
  });

  it.each(CALLS)('answers %s as the router alone does', async (call) => {
    const [method = '', path = ''] = call.split(' ');
    const ask = async (app: NestExpressApplication) => {
      const send = request(app.getHttpServer());
      const { status, body } = await send[method.toLowerCase() as 'get'](path);
      return { status, body: body as unknown };
    };
    expect(await ask(indexed)).toEqual(await ask(plain));
  });

  it.each(['GET /things/newest', 'GET /v1/things/7/parts/8', 'DELETE /things/7', 'GET /fails'])(
    'finds %s without walking the table',
    async (call) => {
      const [method = '', path = ''] = call.split(' ');
      await request(indexed.getHttpServer())[method.toLowerCase() as 'get'](path);
      expect(walked).toBe(0);
    },
  );
});
