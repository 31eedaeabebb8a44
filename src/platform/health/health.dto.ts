import { ApiProperty } from '@nestjs/swagger';
import type { PartHealth } from './health.service.js';

const PART = { type: String, enum: ['ok', 'down', 'unknown'] };

class StoresDto {
  @ApiProperty(PART) ledger!: PartHealth;
  @ApiProperty(PART) vectors!: PartHealth;
  @ApiProperty(PART) graph!: PartHealth;
  @ApiProperty(PART) models!: PartHealth;
}

export class HealthDto {
  @ApiProperty({ type: String, enum: ['healthy', 'degraded'] }) status!: string;
  @ApiProperty({ type: Boolean, enum: [true] }) multi_tenant!: true;
  @ApiProperty({ type: String }) version!: string;
  @ApiProperty({ type: StoresDto }) stores!: StoresDto;
}

export class LiveDto {
  @ApiProperty({ type: String, enum: ['alive'] }) status!: 'alive';
}

export class ReadyDto {
  @ApiProperty({ type: String, enum: ['ready', 'not_ready'] }) status!: string;
  @ApiProperty({ type: String, enum: ['starting', 'ready', 'stopping'] }) phase!: string;
}

class DefaultAgentDto {
  @ApiProperty({ type: Boolean }) can_answer!: boolean;
}

export class AgentHealthDto {
  @ApiProperty({ type: String, enum: ['healthy', 'degraded'] }) status!: string;
  @ApiProperty(PART) models!: PartHealth;
  @ApiProperty({ type: DefaultAgentDto }) default_agent!: DefaultAgentDto;
}
