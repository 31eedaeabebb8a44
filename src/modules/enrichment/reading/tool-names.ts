/**
 * Names of tools that a part-of-speech tagger takes for people, places or nothing at all. Whole words, any case; those
 * that are common words besides are told by how they are written.
 */
const ANY_CASE = `
airflow ansible anthropic asana aws azure bitbucket cassandra chatgpt chromadb clickhouse cloudflare
confluence databricks datadog debian deno django docker dropbox drupal dynamodb elasticsearch elixir erlang
eslint evernote express.js expressjs falkordb fastapi figma firebase firefox flutter fortran gcp git github
gitlab gmail golang grafana graphql grpc hadoop haskell heroku hubspot ios javascript jenkins jira jquery
kafka keras kubernetes langchain laravel linux lodash lucene mariadb matlab matplotlib memcached metabase
mongodb mysql n8n neo4j nestjs netlify next.js nextjs nginx node.js nodejs npm numpy nuxt oauth onenote openai
openapi opensearch openshift photoshop php pinecone playwright pnpm podman postgres postgresql powerpoint
powershell prometheus pulumi pytest python pytorch qdrant rabbitmq react-native redis redux rspec rubocop
salesforce scikit-learn sendgrid shopify solr splunk sql sqlite supabase svelte swagger tableau tailwind
tensorflow terraform trello twilio typeorm typescript ubuntu vercel vim virtualenv vite vscode vue vue.js
vuejs wasm weaviate webassembly webpack websocket woocommerce wordpress xcode yaml zapier zendesk zod zsh
`;
const AS_WRITTEN = `
Angular Apache Bash Bootstrap Canva Chrome COBOL Copilot Cypress Discord Emacs Excel Gemini Java Jest Jupyter Kotlin Llama
LaTeX Miro Notion Obsidian Perl Prisma React Ruby Rust Safari Scala Selenium Sentry Slack Spark Stripe Swift Wikipedia
Windows Yarn Zoom
`;
const SEVERAL_WORDS = [
  'VS Code',
  'Visual Studio',
  'GitHub Actions',
  'Google Docs',
  'Google Sheets',
  'Google Drive',
  'Google Calendar',
  'Google Maps',
  'Google Cloud',
  'Microsoft Teams',
  'Power BI',
  'React Native',
  'Ruby on Rails',
  'Spring Boot',
  'Hugging Face',
  'Stable Diffusion',
  'Apple Watch',
  'Home Assistant',
  'Raspberry Pi',
];

const anyCase: ReadonlySet<string> = new Set(ANY_CASE.trim().split(/\s+/));
const asWritten: ReadonlySet<string> = new Set(AS_WRITTEN.trim().split(/\s+/));
const severalWords = new RegExp(`(?<![\\p{L}\\p{N}])(?:${SEVERAL_WORDS.join('|')})(?![\\p{L}\\p{N}])`, 'giu');
const WORD = /[\p{L}\p{N}][\p{L}\p{N}.+#-]*/gu;
/** A capital in the middle, as names of software have them; not `McDonald`, not `LGBTQ`. */
const CAMEL =
  /^(?!Mc[A-Z]|Mac[A-Z]|De[A-Z]|Di[A-Z]|La[A-Z]|Le[A-Z]|Van[A-Z]|Fitz[A-Z])[\p{L}]*\p{Ll}\p{Lu}[\p{L}\p{N}]*$/u;
const FILE_LIKE = /^[\p{L}][\p{L}\p{N}]*\.(?:js|ts|py|io|ai)$/iu;

/** As they are written, once each. */
export function toolsIn(text: string): string[] {
  const found = new Map<string, string>();
  const add = (name: string) => {
    const key = name.toLowerCase();
    if (!found.has(key)) found.set(key, name);
  };
  const rest = text.replace(severalWords, (name) => {
    add(name);
    return ' ';
  });
  for (const [raw] of rest.matchAll(WORD)) {
    const word = raw.replace(/[.+-]+$/, '');
    if (anyCase.has(word.toLowerCase()) || asWritten.has(word) || CAMEL.test(word) || FILE_LIKE.test(word))
      add(word);
  }
  return [...found.values()];
}
