import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { Reply } from '../http/request-facts.js';

/**
 * What Prometheus reads. Others make their counters with `registers: [metrics.registry]`.
 * No label ever holds a tenant: thousands of them would make as many series of each metric.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  private readonly replies = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the request’s arrival to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });

  constructor() {
    // Memory, CPU, handles, garbage collection and the event loop's lag.
    collectDefaultMetrics({ register: this.registry });
  }

  observeReply({ method, route, status, ms }: Reply): void {
    this.replies.observe(
      { method: known(method), route, status: `${Math.floor(status / 100)}xx` },
      ms / 1_000,
    );
  }
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Node accepts some thirty methods from anybody: they are no label values. */
function known(method: string): string {
  return METHODS.has(method) ? method : 'other';
}
