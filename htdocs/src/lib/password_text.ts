/** What is asked of a new password (lib/password.h: bytes of UTF-8). */
export const PASSWORD_HINT =
  'At least 10 characters. Accented letters, other scripts and emoji count as two or more.';
