/*
 * auth_serving.mjs: what two parts of bench-auth compare: a site with segments, and a lighttpd
 * that only serves files.
 */
import { spawn } from 'node:child_process';
import { pretend, setUp } from '../lib/accounts.mjs';
import { startSite, tinyMp4, waitFor } from '../lib/site.mjs';

export const SIZES_KB = [100, 500, 1000];

/* A site with accounts and a video whose segments are of these sizes: { site, owner, root,
 * folder: where its owner is told that they are }. */
export async function startWithSegments(mediaAuth) {
    const site = await startSite({ env: { DROPSTREAM_AUTH: 'required', DROPSTREAM_MEDIA_AUTH: mediaAuth } });
    const owner = await setUp(site, 'olga');
    const { json: video } = await owner.upload(tinyMp4());
    const root = await pretend(site, video.id, { segments: SIZES_KB.length, made: [] });
    for (const [i, kb] of SIZES_KB.entries())
        await site.put(`htdocs/media/${root}/360p-1/${i}.m4s`, Buffer.alloc(kb * 1000, 7));
    const { json } = await owner.api('GET', `/api/videos/${video.id}`);
    return { site, owner, root, folder: json.media.replace('master.m3u8', '360p-1/') };
}

/* What lighttpd is that only serves files: types, how long to keep them, the same headers. */
export const plainConf = (site, port, headers) => `
    server.modules = ("mod_expire"${headers ? ', "mod_setenv"' : ''})
    server.bind = "127.0.0.1"
    server.port = ${port}
    server.tag = ""
    server.document-root = "${site.dir}/htdocs"
    mimetype.assign = (".m4s" => "video/iso.segment")
    expire.mimetypes = ("video/iso.segment" => "access plus 31536000 seconds")
    ${headers ? `setenv.set-response-header = (${headers.map(([name, value]) => `"${name}" => "${value}"`)})` : ''}
`;

/* lighttpd, itself or below a tool (a command and its options): { port, pid, stop }. */
export async function startLighttpd(conf, port, { below = [], env = {} } = {}) {
    const command = ['setpriv', '--pdeathsig', 'KILL', '--', ...below, '/usr/sbin/lighttpd', '-D', '-f', conf];
    const child = spawn(command[0], command.slice(1), { stdio: 'ignore', env: { ...process.env, ...env } });
    const gone = new Promise((resolve) => child.on('exit', resolve));
    const answers = () => fetch(`http://127.0.0.1:${port}/none`).then(() => true, () => false);
    await waitFor(answers, { what: `${command.join(' ')} to answer`, timeout: 60_000 });
    return { port, pid: child.pid, stop: () => (child.kill(), gone) };
}
