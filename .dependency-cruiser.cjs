/** Dependencies run one way: door or controller, service, ledger and spaces, engines. ARCHITECTURE.md draws it. */
const ENGINES = '^src/spaces/(embedded|qdrant|falkordb)/';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one idea, or hide a third.',
      severity: 'error',
      from: {},
      // Entities that refer to each other do so by type alone.
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'engines-behind-their-ports',
      comment: 'Only the place that opens the stores knows which engine is behind a port.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [
          '^src/stores\\.ts$',
          '^src/spaces/[^/]*\\.module\\.ts$',
          '^src/spaces/(embedded|qdrant|falkordb)/',
        ],
      },
      to: { path: ENGINES },
    },
    {
      name: 'engines-know-only-their-own',
      comment: 'An engine is replaced without another noticing.',
      severity: 'error',
      from: { path: ENGINES },
      to: { path: ENGINES, pathNot: '^src/spaces/$1/' },
    },
    {
      name: 'services-know-no-http',
      comment: 'A service is called by doors, jobs and the command line alike.',
      severity: 'error',
      from: { path: '\\.service\\.ts$' },
      to: { path: ['^node_modules/express/', '\\.controller\\.ts$', '^src/doors/', '^src/platform/http/'] },
    },
    {
      name: 'the-core-knows-no-http',
      comment: 'The ledger, the spaces and the models are asked by modules, never the other way round.',
      severity: 'error',
      from: { path: '^src/(ledger|spaces|models)/' },
      to: {
        path: [
          '^node_modules/express/',
          '^src/doors/',
          '^src/modules/.*\\.(controller|service|dto)\\.ts$',
          '^src/platform/http/',
        ],
      },
    },
    {
      name: 'errors-and-tenants-are-pure',
      comment: "The domain's own words depend on no framework.",
      severity: 'error',
      from: {
        path: ['^src/platform/errors/domain-error\\.ts$', '^src/tenancy/tenant\\.ts$', '\\.errors\\.ts$'],
      },
      to: { path: ['^node_modules/(@nestjs|express|typeorm)/'] },
    },
    {
      name: 'the-command-line-is-a-client',
      comment: 'It runs on other machines than the server, and knows of it what the routes tell.',
      severity: 'error',
      from: { path: '^src/cli(/|\\.ts$)' },
      to: {
        path: '^src/',
        pathNot: ['^src/cli/', '^src/platform/version\\.ts$', '^src/platform/config/environment\\.ts$'],
      },
    },
    {
      name: 'nothing-needs-the-command-line',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli(/|\\.ts$)' },
      to: { path: '^src/cli(/|\\.ts$)' },
    },
    {
      name: 'nothing-outside-the-lock',
      comment: 'A package that package.json does not name may be gone after the next install.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'no-development-packages-in-production',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
