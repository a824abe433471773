/**
 * The one error that is the user's to mend: a damaged file, an unknown key, a full disk. Its message names the
 * file or field, what was found, what was expected and what to do. Every room may throw it; the command line
 * shows its message without a stack. It must not know who catches it.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** The code of a Node system error (`ENOENT`, `ENOSPC`, ...), or undefined where the error is of another kind. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

const SYSTEM_SENTENCES: Record<string, string> = {
  ENOENT: 'there is no such file or directory; check the path',
  EEXIST: 'it exists already; choose another name or remove it',
  ENOTEMPTY: 'it exists already; choose another name or remove it',
  ENOSPC: 'the disk is full; free some space or choose another place',
  EDQUOT: 'the disk quota is used up; free some space or choose another place',
  EFBIG: 'the file would be larger than the system allows; choose another place',
  EROFS: 'the file system is read-only; choose another place',
  EACCES: 'permission is denied; change the permissions or choose another place',
  EPERM: 'the operation is not permitted; change the permissions or choose another place',
  ENOTDIR: 'a part of the path is a file, not a directory; check the path',
  EISDIR: 'it is a directory, not a file; check the path',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  ELOOP: 'the path has too many symbolic links; check the path',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  EIO: 'the device reported an input/output error; check the disk',
};

/**
 * An InputError in plain words for a system error met while `doing` (for example `write`) the file at `path`.
 * Any other error comes back unchanged: it is not the user's fault.
 */
export function explainSystemError(error: unknown, doing: string, path: string): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const sentence = SYSTEM_SENTENCES[code] ?? (error as Error).message;
  return new InputError(`cannot ${doing} ${path}: ${sentence} (${code})`, { cause: error });
}
