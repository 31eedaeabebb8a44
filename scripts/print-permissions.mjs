// Prints docs/permissions.md from the routes' decorators. Run it after `npm run build`.
import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { ModulesContainer, NestFactory } from '@nestjs/core';

const dist = (path) => import(new URL(`../dist/${path}`, import.meta.url));
const { AppModule } = await dist('app.module.js');
const { parseSettings } = await dist('platform/config/settings.js');
const { openLog } = await dist('platform/logging/log.js');
const { permissionGuide, permissionsOf } = await dist('tenancy/permissions.js');

// A preview makes no instance of anything: what is only held needs not be real.
const settings = parseSettings({});
const parts = { settings, log: openLog(settings), stores: {}, secrets: { adminToken: '' } };
const app = await NestFactory.create(AppModule.of(parts), {
  preview: true,
  logger: false,
  abortOnError: false,
});
writeFileSync(
  new URL('../docs/permissions.md', import.meta.url),
  permissionGuide(permissionsOf(app.get(ModulesContainer))),
);
process.exit();
