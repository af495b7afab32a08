/**
 * The environment for git: nothing of the person's own configuration, and none of the variables that git sets for hooks. With GIT_DIR
 * inherited, a command meant for a scratch repository would change the one that the hook runs in.
 */
export function gitEnvironment(home: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' };
}
