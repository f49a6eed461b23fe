/** What is asked of a new password (lib/password.h: bytes of UTF-8). */
export const PASSWORD_HINT =
  'At least 10 bytes: letters from a to z, digits and signs are one each, others two to four.';
