/*
 * under.mjs: the programs of a site are started by another one that watches them, as the
 * words of $DROPSTREAM_UNDER say: valgrind, or env with what a sanitizer is to be told.
 * It takes the place of the program; lighttpd, which starts some, passes on no more of
 * the environment than they need.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';

/* What memory they take then says nothing of them. */
export const WATCHED = Boolean(process.env.DROPSTREAM_UNDER);

const PROGRAMS = ['cgi-bin/upload.fcgi', 'cgi-bin/api.fcgi', 'cgi-bin/media.fcgi', 'bin/dropstream-worker'];

/* In the site's folder dir, as it was laid out. Each program is then in a folder `under`
 * beside where it was. Nothing is done where none is to be watched. */
export async function watchPrograms(dir) {
    if (!WATCHED) return;
    for (const name of PROGRAMS) {
        const place = path.join(dir, name);
        const program = path.join(path.dirname(place), 'under', path.basename(place));
        await fs.mkdir(path.dirname(program), { recursive: true });
        await fs.rename(place, program);
        await fs.writeFile(place, `#!/bin/sh\nexec ${process.env.DROPSTREAM_UNDER} '${program}' "$@"\n`, { mode: 0o700 });
    }
}
