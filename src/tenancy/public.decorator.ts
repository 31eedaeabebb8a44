import { applyDecorators, SetMetadata } from '@nestjs/common';

export const PUBLIC = 'loci:public';
export const OWN_TOKEN = 'loci:own-token';

/** A route that the key guard lets everybody through to: health, and what guards itself. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, true);

/** Likewise, but it asks for a token that is no principal's. `whose`: in words, for `docs/permissions.md`. */
export const GuardsItself = (whose: string): MethodDecorator & ClassDecorator =>
  applyDecorators(Public(), SetMetadata(OWN_TOKEN, whose));
