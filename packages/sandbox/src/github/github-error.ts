export interface FieldError {
  resource: string;
  code: string;
  field?: string;
  message?: string;
}

/** A refusal as the REST API words it. */
export class GitHubError extends Error {
  override readonly name = 'GitHubError';
  constructor(
    readonly status: number,
    message: string,
    readonly errors?: readonly FieldError[],
  ) {
    super(message);
  }

  body(): object {
    const errors = this.errors ? { errors: this.errors } : {};
    return { message: this.message, ...errors, documentation_url: 'https://docs.github.com/rest', status: String(this.status) };
  }
}

export function notFound(): GitHubError {
  return new GitHubError(404, 'Not Found');
}

export function validationFailed(...errors: FieldError[]): GitHubError {
  return new GitHubError(422, 'Validation Failed', errors);
}

/** A string field of a body; 422 when it is missing or of another type. */
export function requiredText(body: Record<string, unknown>, field: string, resource: string): string {
  const value = body[field];
  if (typeof value === 'string' && value !== '') return value;
  throw validationFailed({ resource, code: value === undefined ? 'missing_field' : 'invalid', field });
}

/** One of a closed list; 422 for others. */
export function oneOf(value: unknown, allowed: readonly string[], field: string, resource: string): string {
  if (typeof value === 'string' && allowed.includes(value)) return value;
  throw validationFailed({ resource, code: 'invalid', field, message: `${field} must be one of ${allowed.join(', ')}` });
}
