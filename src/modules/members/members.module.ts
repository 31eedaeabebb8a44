import { Module } from '@nestjs/common';
import { MemberTokensController } from './member-tokens.controller.js';
import { MemberTokens } from './member-tokens.service.js';
import { MembersController } from './members.controller.js';
import { Members } from './members.service.js';
import { OidcController } from './oidc.controller.js';
import { OidcSettings } from './oidc.service.js';

@Module({
  controllers: [MembersController, MemberTokensController, OidcController],
  providers: [Members, MemberTokens, OidcSettings],
})
export class MembersModule {}
