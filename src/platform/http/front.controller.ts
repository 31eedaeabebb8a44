import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../tenancy/public.decorator.js';
import { errorCodes, type ErrorMeaning } from '../errors/error-codes.js';
import { version } from '../version.js';
import { NoSuchErrorCode } from './request.errors.js';

class FrontDto {
  @ApiProperty({ type: String }) name!: string;
  @ApiProperty({ type: String }) version!: string;
  @ApiProperty({ type: String, description: 'The pages' }) documentation!: string;
  @ApiProperty({ type: String }) openapi!: string;
  @ApiProperty({ type: String }) health!: string;
}

class ErrorMeaningDto {
  @ApiProperty({ type: String }) code!: string;
  @ApiProperty({ type: Number }) status!: number;
  @ApiProperty({ type: String }) title!: string;
  @ApiProperty({ type: String, description: 'What happened, and what to do about it' }) explanation!: string;
}

/** What somebody finds who only has the address, or an error's `type`. */
@ApiTags('about')
@Public()
@Controller()
export class FrontController {
  @Get()
  @ApiOperation({ summary: 'What this is, and where to go on' })
  @ApiResponse({ status: 200, type: FrontDto })
  front(): FrontDto {
    return { name: 'Loci', version, documentation: '/docs', openapi: '/openapi.json', health: '/health' };
  }

  @Get('errors/:code')
  @ApiOperation({ summary: 'What an error code means; the `type` of every problem document leads here' })
  @ApiResponse({ status: 200, type: ErrorMeaningDto })
  meaning(@Param('code') code: string): ErrorMeaningDto {
    const meaning = new Map<string, ErrorMeaning>(Object.entries(errorCodes)).get(code);
    if (meaning === undefined) throw new NoSuchErrorCode();
    return { code, ...meaning };
  }
}
