import type { Command } from 'commander';

const OPENING = `# The command line

Printed by \`loci manual\`; a test holds it against the commands.

In a checkout it is \`npm run -s loci -- <command>\` (\`-s\`: npm's own lines would mix with \`--json\`), or once it
is built \`npx loci <command>\`; in the container \`node dist/cli.js <command>\`. The package is not published: a
\`loci\` that npm finds elsewhere is another's. It speaks to the server over HTTP and needs no access to the stores.
The result goes to stdout, everything else to stderr. \`--json\` prints the server's answer as it
came, on one line.

    export LOCI_URL=https://loci.example.com ADMIN_API_TOKEN=…
    loci tenant create --name "Acme Corp" --plan enterprise --admin-email admin@acme.com
    loci tenant list --stats --json | jq -r '.data[].tenant_id'
    loci tenant move acme-corp second --wait
    loci verify --all || echo "exit code $?"
`;

/** Every command's help as one Markdown page. */
export function manual(program: Command): string {
  return [OPENING, section(program, program.name()), ...below(program, program.name())].join('\n');
}

function below(parent: Command, path: string): string[] {
  return parent.commands.flatMap((command) => {
    const name = `${path} ${command.name()}`;
    // A group's help only lists what follows it.
    return command.commands.length === 0 ? [section(command, name)] : below(command, name);
  });
}

function section(command: Command, name: string): string {
  let help = '';
  command.configureOutput({ ...command.configureOutput(), writeOut: (text) => (help += text) }).outputHelp();
  return `## \`${name}\`\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`;
}
