import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '.loci/', 'bench/results/'] },
  {
    // What TypeScript's compiler tells elsewhere.
    files: ['**/*.{mjs,cjs}'],
    languageOptions: { globals: nodeGlobals() },
    rules: {
      'no-undef': 'error',
      'no-unused-vars': 'error',
      'no-unreachable': 'error',
      'no-dupe-keys': 'error',
      'no-const-assign': 'error',
      'no-import-assign': 'error',
      'require-yield': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Adapters answer for a Promise-returning port whether or not they have to wait.
      '@typescript-eslint/require-await': 'off',
      // An injected class must stay a value import: Nest reads its metadata at run time. So no rule on type imports.
      '@typescript-eslint/consistent-type-imports': 'off',
    },
  },
  {
    rules: {
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-var': 'error',
      'no-param-reassign': 'error',
      'no-empty': 'error',
      'no-fallthrough': 'error',
      'no-constant-condition': ['error', { checkLoops: false }],
      'no-constant-binary-expression': 'error',
      'no-self-compare': 'error',
      'no-unsafe-finally': 'error',
      'no-useless-catch': 'error',
      'no-useless-escape': 'error',
      'no-return-assign': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/platform/config/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'The environment is parsed once, in src/platform/config.',
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // expect(object.method) compares a function; nobody calls it without its object.
      '@typescript-eslint/unbound-method': 'off',
      // An answer's body is whatever came back: the test is what says its shape.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);

function nodeGlobals() {
  const names = [
    'module',
    'process',
    'console',
    'URL',
    'setTimeout',
    'setInterval',
    'clearTimeout',
    'clearInterval',
  ];
  names.push(
    'performance',
    'Buffer',
    'fetch',
    'AbortController',
    'AbortSignal',
    'TextDecoder',
    'TextEncoder',
    'globalThis',
  );
  return Object.fromEntries(names.map((name) => [name, 'readonly']));
}
