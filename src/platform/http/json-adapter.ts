import { StreamableFile } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Response } from 'express';

/**
 * Nest on Express, with a straight way out for objects. Express works out anew for every answer what is the same for
 * all of ours: the media type's name, its charset, whether a cache may be told that nothing changed.
 */
export class JsonAdapter extends ExpressAdapter {
  override reply(response: Response, body: unknown, status?: number): unknown {
    if (typeof body !== 'object' || body === null || body instanceof StreamableFile) {
      return super.reply(response, body, status);
    }
    const text = JSON.stringify(body);
    if (status !== undefined) response.statusCode = status;
    if (!response.hasHeader('Content-Type')) {
      response.setHeader('Content-Type', 'application/json; charset=utf-8');
    }
    response.setHeader('Content-Length', Buffer.byteLength(text));
    return response.end(text);
  }
}
