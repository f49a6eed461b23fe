/*
 * fake_fcgi.mjs: stands in for a program of cgi-bin, so that a test sees what lighttpd makes
 * of a request and of an answer:
 *
 *     await startSite({ prepare: (site) => fakeProgram(site, 'media.fcgi') });
 *
 * The query of what the client asked for decides: `?send=/path` answers with X-Sendfile,
 * `?csp=…` with a policy; whatever the answer, all that lighttpd said is in its JSON body.
 */
import { promises as fs } from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6; // FastCGI 1.0 s. 8

function record(type, id, content) {
    const head = Buffer.from([1, type, id >> 8, id & 255, content.length >> 8, content.length & 255, 0, 0]);
    return Buffer.concat([head, content]);
}

/* The name-value pairs of FastCGI 1.0 s. 3.4. */
function paramsOf(data) {
    const found = {};
    let at = 0;
    const length = () => {
        if (data[at] < 128) return data[at++];
        at += 4;
        return data.readUInt32BE(at - 4) & 0x7fffffff;
    };
    while (at < data.length) {
        const [name, value] = [length(), length()];
        found[data.toString('utf8', at, at + name)] = data.toString('utf8', at + name, at + name + value);
        at += name + value;
    }
    return found;
}

function answerTo(role, params) {
    const query = new URLSearchParams(params.REQUEST_URI.split('?')[1]);
    const headers = [];
    if (query.get('send')) headers.push(`X-Sendfile: ${query.get('send')}`);
    if (query.get('csp')) headers.push(`Content-Security-Policy: ${query.get('csp')}`);
    if (query.get('type')) headers.push(`Content-Type: ${query.get('type')}`);
    else headers.push('Content-Type: application/json');
    return `${headers.join('\r\n')}\r\n\r\n${JSON.stringify({ role, ...params })}\n`;
}

function serve(socket) {
    let data = Buffer.alloc(0);
    const open = new Map();
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
        data = Buffer.concat([data, chunk]);
        while (data.length >= 8 && data.length >= 8 + data.readUInt16BE(4) + data[6]) {
            const [type, id, n] = [data[1], data.readUInt16BE(2), data.readUInt16BE(4)];
            const content = data.subarray(8, 8 + n);
            data = data.subarray(8 + n + data[6]);
            if (type === BEGIN) open.set(id, { role: content.readUInt16BE(0), keep: content[2] & 1, params: [] });
            if (type === PARAMS && n > 0) open.get(id).params.push(content);
            if (type !== STDIN || n > 0) continue;
            const { role, keep, params } = open.get(id);
            open.delete(id);
            const text = Buffer.from(answerTo(role, paramsOf(Buffer.concat(params))));
            socket.write(Buffer.concat([record(STDOUT, id, text), record(END, id, Buffer.alloc(8))]));
            if (!keep) socket.end();
        }
    });
}

/* In place of site/cgi-bin/<name>, before lighttpd starts, with which it ends. */
export async function fakeProgram(site, name) {
    const file = site.path('cgi-bin', name);
    await fs.writeFile(file, `#!/bin/sh\nexec setpriv --pdeathsig KILL -- "${process.execPath}" "${fileURLToPath(import.meta.url)}"\n`);
    await fs.chmod(file, 0o700);
}

// lighttpd gives it the socket to listen on as standard input.
if (process.argv[1] === fileURLToPath(import.meta.url)) net.createServer(serve).listen({ fd: 0 });
