import { SetMetadata } from '@nestjs/common';

export const PUBLIC = 'loci:public';

/** A route that the key guard lets everybody through to: health, and what guards itself. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, true);
