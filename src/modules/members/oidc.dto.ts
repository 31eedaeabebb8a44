import { ApiProperty } from '@nestjs/swagger';
import { SomeOf, Text } from '../../platform/http/fields.js';
import { OIDC_ALGORITHMS, type OidcAlgorithm } from '../../tenancy/jwt-bearers.js';

export class PutOidcDto {
  @Text({
    max: 1_024,
    description: '`iss` of its tokens, exactly: an https URL',
    example: 'https://login.acme.example',
  })
  issuer!: string;

  @Text({ max: 1_024, optional: true, description: '`aud` of its tokens. Absent: the client id' })
  audience?: string;

  @Text({ max: 1_024, optional: true, description: 'Another word for `audience`' })
  client_id?: string;

  @Text({
    max: 1_024,
    optional: true,
    nullable: true,
    description: 'Kept encrypted, never shown. Absent: stays while the issuer does; null: removed',
  })
  client_secret?: string | null;

  @SomeOf(OIDC_ALGORITHMS, { optional: true, description: 'Absent: all of these' })
  algorithms?: OidcAlgorithm[];
}

export class OidcDto {
  @ApiProperty({ type: String }) issuer!: string;
  @ApiProperty({ type: String }) audience!: string;
  @ApiProperty({ type: [String] }) algorithms!: string[];
  @ApiProperty({ type: Boolean }) has_client_secret!: boolean;
  @ApiProperty({ type: String, format: 'date-time' }) created_at!: string;
  @ApiProperty({ type: String, format: 'date-time' }) updated_at!: string;
}

export class RemovedOidcDto {
  @ApiProperty({ type: Boolean }) deleted!: boolean;
}
