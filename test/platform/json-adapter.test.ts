import { Controller, Get, HttpCode, Module, StreamableFile } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { JsonAdapter } from '../../src/platform/http/json-adapter.js';

@Controller()
class Answers {
  @Get('object') object() {
    return { word: 'señal ✓', list: [1, null] };
  }
  @Get('list') list() {
    return [{ a: 1 }];
  }
  @Get('accepted') @HttpCode(202) accepted() {
    return { state: 'queued' };
  }
  @Get('nothing') nothing() {
    return undefined;
  }
  @Get('text') text() {
    return 'plain';
  }
  @Get('file') file() {
    return new StreamableFile(Buffer.from('bytes'));
  }
}

@Module({ controllers: [Answers] })
class AnswersModule {}

describe('the JSON adapter', () => {
  let app: NestExpressApplication;
  let url: string;

  beforeAll(async () => {
    app = await NestFactory.create<NestExpressApplication>(AnswersModule, new JsonAdapter(), {
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(() => app.close());

  it('answers objects and lists as JSON, measured in bytes', async () => {
    const object = await fetch(`${url}/object`);
    const body = await object.clone().text();
    expect(object.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(object.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
    expect(JSON.parse(body)).toEqual({ word: 'señal ✓', list: [1, null] });
    expect(await (await fetch(`${url}/list`)).json()).toEqual([{ a: 1 }]);
  });

  it("keeps a route's status", async () => {
    expect((await fetch(`${url}/accepted`)).status).toBe(202);
  });

  it('answers HEAD with the headers alone', async () => {
    const head = await fetch(`${url}/object`, { method: 'HEAD' });
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
    expect(await head.text()).toBe('');
  });

  it('leaves text, files and nothing to Nest', async () => {
    expect(await (await fetch(`${url}/text`)).text()).toBe('plain');
    expect(await (await fetch(`${url}/file`)).text()).toBe('bytes');
    expect(await (await fetch(`${url}/nothing`)).text()).toBe('');
  });
});
