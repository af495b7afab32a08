/** A command that a step printed, e.g. `::error file=a.ts,line=3::message`. */
export interface LogCommand {
  name: string;
  properties: Record<string, string>;
  message: string;
}

/** Reads the commands in a step's lines; knows `::stop-commands::token`, after which lines are text until `::token::`. */
export function createCommandReader(): (line: string) => LogCommand | undefined {
  let resumeToken: string | undefined;
  return (line) => {
    const command = parseCommand(line);
    if (resumeToken !== undefined) {
      if (command?.name === resumeToken) resumeToken = undefined;
      return undefined;
    }
    if (command?.name === 'stop-commands') resumeToken = command.message;
    return command;
  };
}

/** https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#about-workflow-commands */
function parseCommand(line: string): LogCommand | undefined {
  const match = /^\s*::([^\s:]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, name = '', list = '', message = ''] = match;
  const properties = Object.fromEntries(
    list
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item.includes('='))
      .map((item) => [item.slice(0, item.indexOf('=')), unescapeProperty(item.slice(item.indexOf('=') + 1))]),
  );
  return { name, properties, message: unescapeData(message) };
}

function unescapeData(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

function unescapeProperty(text: string): string {
  return text.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
