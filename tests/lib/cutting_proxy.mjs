/*
 * cutting_proxy.mjs: a TCP proxy in front of a site that loses connections, and keeps
 * account of what tus requests sent and were told through it.
 *
 *     const proxy = await startProxy(site.port, { cuts: [700_000, 2_000_000] });
 *     … a client that speaks to proxy.url …
 *     proxy.requests   // [{ method, offset, sent, status, told }], in order
 *
 * The n-th connection that sends that much is cut after cuts[n] bytes; every other cut is
 * half a cut: the client loses its connection, and the site hears nothing of that.
 */
import net from 'node:net';

/* Takes one HTTP message after another out of a stream of bytes: calls head(text) for
 * each header block, which returns the length of its body, and body(n) for its bytes. */
function messages(head, body) {
    let text = '';
    let left = 0;
    return (data) => {
        for (let at = 0; at < data.length; ) {
            if (left > 0) {
                const n = Math.min(left, data.length - at);
                body(n);
                left -= n;
                at += n;
                continue;
            }
            text += String.fromCharCode(data[at++]);
            if (!text.endsWith('\r\n\r\n')) continue;
            left = head(text);
            text = '';
        }
    };
}

const header = (text, name) => new RegExp(`^${name}: *(.*?)\\r$`, 'im').exec(text)?.[1];
const number = (text, name) => {
    const value = header(text, name);
    return value === undefined ? undefined : Number(value);
};

export async function startProxy(port, { cuts = [], onBytes = () => {} } = {}) {
    const proxy = { requests: [], cut: 0, sent: 0 };
    const sockets = new Set();
    let waiting = [...cuts];

    const server = net.createServer((client) => {
        const site = net.connect(port, '127.0.0.1');
        let request;
        let passed = 0;
        const fromClient = messages(
            (text) => {
                const [method, target] = text.split(' ');
                request = { method, target, offset: number(text, 'Upload-Offset'), sent: 0 };
                proxy.requests.push(request);
                return number(text, 'Content-Length') ?? 0;
            },
            (n) => (request.sent += n),
        );
        const fromSite = messages(
            (text) => {
                request.status = Number(text.split(' ')[1]);
                request.told = number(text, 'Upload-Offset');
                const empty = request.method === 'HEAD' || request.status === 204;
                return empty ? 0 : (number(text, 'Content-Length') ?? 0);
            },
            () => {},
        );
        const cut = (half) => {
            proxy.cut++;
            client.destroy();
            if (half) site.removeAllListeners('close').on('data', () => {});
            else site.destroy();
        };
        client.on('data', (data) => {
            const room = waiting.length ? waiting[0] - passed : Infinity;
            const part = data.length < room ? data : data.subarray(0, room);
            passed += part.length;
            proxy.sent += part.length;
            fromClient(part);
            if (!site.write(part)) {
                client.pause();
                site.once('drain', () => client.resume());
            }
            if (part.length === room) {
                waiting.shift();
                cut(proxy.cut % 2 === 1);
            }
            onBytes(proxy.sent);
        });
        site.on('data', (data) => {
            if (client.destroyed) return;
            fromSite(data);
            client.write(data);
        });
        for (const socket of [client, site]) {
            sockets.add(socket);
            socket.on('error', () => {});
        }
        client.on('close', () => (client.errored || client.readableEnded) && site.destroy());
        client.on('end', () => site.end());
        site.on('close', () => client.destroy());
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${server.address().port}`;
    proxy.stop = () => {
        for (const socket of sockets) socket.destroy();
        return new Promise((resolve) => server.close(resolve));
    };
    return proxy;
}
