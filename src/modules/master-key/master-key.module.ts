import { Module } from '@nestjs/common';
import { MasterKeyRotation } from './master-key-rotation.service.js';
import { MasterKeyController } from './master-key.controller.js';

/** The installation's master key, and putting another in its place. */
@Module({ controllers: [MasterKeyController], providers: [MasterKeyRotation] })
export class MasterKeyModule {}
