import { DomainError } from '../../platform/errors/domain-error.js';

export class MemoryNotFound extends DomainError<'memory.not_found'> {
  readonly code = 'memory.not_found';
  constructor(internal?: string) {
    super('No memory with that id.', internal === undefined ? {} : { internal });
  }
}

export class MemoryConflict extends DomainError<'memory.conflict'> {
  readonly code = 'memory.conflict';
  constructor(id: string) {
    super(`A memory with the id ${id} exists, and it was stored with other contents.`);
  }
}

export class RelationInvalid extends DomainError<'relation.invalid'> {
  readonly code = 'relation.invalid';
  constructor() {
    super('A memory cannot be related to itself.');
  }
}

export class RelationReserved extends DomainError<'relation.reserved'> {
  readonly code = 'relation.reserved';
  constructor(type: string) {
    super(`Relations of the type ${type} are made by Loci alone.`);
  }
}
