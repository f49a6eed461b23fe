/* How many connections one address may have, whether it asks for anything or not. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { waitFor, withSite } from '../lib/site.mjs';

const LIMIT = 8;
const env = { DROPSTREAM_CONNECTIONS_PER_ADDRESS: String(LIMIT) };

/* Connections from an address on which nothing, or half a request, is sent. */
async function hold(site, n, localAddress) {
    const sockets = [];
    for (let i = 0; i < n; i++) {
        const socket = net.connect({ host: '127.0.0.1', port: site.port, localAddress });
        socket.on('error', () => {});
        await once(socket, 'connect');
        if (i % 2) socket.write('GET / HTTP/1.1\r\nHost: ');
        sockets.push(socket);
    }
    return sockets;
}

/* What the site says to one more: its status, or 429 if it only hung up. */
async function asks(site, localAddress) {
    const socket = net.connect({ host: '127.0.0.1', port: site.port, localAddress });
    let text = '';
    socket.on('data', (data) => (text += data));
    socket.on('error', () => {});
    socket.write('GET /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
    await once(socket, 'close');
    return { text, status: Number(text.split(' ')[1]) };
}

test('who holds as many as they may gets no more, others do', withSite({ env }, async (site) => {
    const held = await hold(site, LIMIT, '127.0.0.2');
    // It is told before it asks.
    const late = net.connect({ host: '127.0.0.1', port: site.port, localAddress: '127.0.0.2' });
    let text = '';
    for await (const data of late) text += data;
    const [head, body] = text.split('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.1 429 [^]*\r\nRetry-After: \d+\r\n/);
    assert.equal(JSON.parse(body).error.code, 'too_many');
    assert.notEqual((await asks(site, '127.0.0.2')).status, 200);

    assert.equal((await asks(site, '127.0.0.1')).status, 200);
    assert.match(await site.logs(), /127\.0\.0\.2 has 8 connections, more are refused/);

    for (const socket of held) socket.destroy();
    await waitFor(async () => (await asks(site, '127.0.0.2')).status === 200);
}));

test('a proxy may have any number', withSite(
    { env: { ...env, DROPSTREAM_TRUSTED_PROXIES: '127.0.0.0/24' } },
    async (site) => {
        const held = await hold(site, 2 * LIMIT, '127.0.0.2');
        assert.equal((await asks(site, '127.0.0.2')).status, 200);
        for (const socket of held) socket.destroy();
    },
));

test('what is on this machine may have any number', withSite({ env }, async (site) => {
    const held = await hold(site, 2 * LIMIT, '127.0.0.1');
    assert.equal((await asks(site, '127.0.0.1')).status, 200);
    for (const socket of held) socket.destroy();
}));

test('0: everybody may', withSite({ env: { DROPSTREAM_CONNECTIONS_PER_ADDRESS: '0' } }, async (site) => {
    const held = await hold(site, 2 * LIMIT, '127.0.0.2');
    assert.equal((await asks(site, '127.0.0.2')).status, 200);
    for (const socket of held) socket.destroy();
}));
